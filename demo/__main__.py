"""`scripts/demo`: a whole house on this machine, and seven visits to its door."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from agents.cli.common import CommandError
from agents.wire.topics import COMMAND, FRAME, SNAPSHOT
from demo.clips import ClipsError, clips
from demo.follower import Follower, following
from demo.house import DemoHouse, HouseFailed, living_house
from demo.story import tell

INVITATION = """
The story is told. The house stays up until Ctrl-C; try it from another terminal:
  {facelatch} unlock front --config {config}
  {facelatch} log --config {config}
  mosquitto_pub -p {port} -t {command} -m UNLOCK
  mosquitto_sub -p {port} -v -t '{base}/#' -T '{frames}' -T '{snapshots}'
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when the story has been told; exit 0 if it went right")
    parser.add_argument("--models", metavar="PLACE", help="a folder or mirror with the networks for liveness")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT too: a shell may have it ignored
        signal.signal(number, _interrupt)
    try:
        return _demo(once=args.once, models=args.models)
    except (ClipsError, CommandError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; the house is shut down", file=sys.stderr)
        return 130


def _demo(*, once: bool, models: str | None) -> int:
    with living_house(clips(_progress), _progress, models) as house:
        _progress("starting mosquitto and the four agents")
        with house.running():
            try:
                with following(house, _say) as follower:
                    figures = tell(house, follower, _say)
                    _say(json.dumps(figures)) if once else _stay(house, follower)
            except (HouseFailed, CommandError) as error:
                print(
                    f"demo: the story went wrong: {error}\nThe house's log ends:\n{house.log_tail()}", file=sys.stderr
                )
                return 1
    return 0


def _stay(house: DemoHouse, follower: Follower) -> None:
    mqtt = house.settings.mqtt
    facelatch = Path(sys.executable).with_name("facelatch")
    topics = {
        "base": mqtt.base,
        "command": COMMAND.at(mqtt.base, "front"),
        "frames": FRAME.at(mqtt.base, "+"),
        "snapshots": SNAPSHOT.at(mqtt.base, "+"),
    }
    _say(INVITATION.format(facelatch=facelatch, config=house.config, port=mqtt.port, **topics))
    while True:
        house.check_up()
        follower.stay(1.0)


def _say(line: str) -> None:
    print(line, flush=True)


def _progress(what: str) -> None:
    print(f"demo: {what} ...", file=sys.stderr, flush=True)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


if __name__ == "__main__":
    sys.exit(main())
