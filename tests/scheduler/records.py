"""What is in a journal's file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any


def records(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Kind and body of each record, as SQLite has them."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return [(kind, json.loads(body)) for kind, body in db.execute("SELECT kind, body FROM records ORDER BY n")]
    finally:
        db.close()
