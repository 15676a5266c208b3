"""`python -m agents.cli` is `facelatch`."""

import sys

from agents.cli.main import main

sys.exit(main())
