"""A whole house in a folder of its own: broker, four agents, and a camera that looks at pictures."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from agents import house
from agents.house import House
from demo import scenes, stage

PERSON = "Barack"  # whom the photographs show
HIM = "Adam"  # the man in the clips
ALWAYS = "[{ who: everybody, days: mon-sun, from: 00:00, to: 24:00, holidays: open }]"
TIMEZONE = "Europe/Zagreb"
STOP_S = 15.0

CONFIG = """\
# Made by the demo: a house that lives for a few minutes on this machine.
mqtt: {{ port: {port} }}
clock: trust # in a container nobody says that it is right
doors:
  front:
    relay: {{ pin: 17, pin_factory: mock }}
    hold_s: {t.hold_s}
cameras:
  front:
    source: camera # a folder; the demo decides what is in it
    rate_fps: {t.rate_fps}
scheduler:
  timezone: {timezone}
  doors:
    front:
      cameras: [front]
      windows: {windows}
      evidence: {{ frames: {t.frames}, of: {t.of} }}
      liveness: {t.liveness}
      cool_down_s: {t.cool_down_s}
      visit_gap_s: {t.visit_gap_s}
"""


@dataclass(frozen=True)
class Tuning:
    """Settings of the house that the demo and the benchmarks want differently.

    Without `liveness` photographs may play the people.
    """

    rate_fps: float = 10.0
    frames: int = 2
    of: int = 3
    hold_s: float = 3.0
    cool_down_s: float = 3.0
    visit_gap_s: float = 2.0
    liveness: str = "off"


def later() -> str:
    """Windows that are closed now: they open in three hours, for one."""
    opens = datetime.now(ZoneInfo(TIMEZONE)) + timedelta(hours=3)
    closes = opens + timedelta(hours=1)
    return f"[{{ who: everybody, days: mon-sun, from: {opens:%H}:00, to: {closes:%H}:00, holidays: open }}]"


class HouseFailed(Exception):
    """The house did not do what it should; the text says what."""


def free_port() -> int:
    """A port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DemoHouse:
    """Everything below `folder`: facelatch.yaml, data, scenes, house.log."""

    def __init__(self, folder: Path, tuning: Tuning = Tuning()) -> None:
        self.folder, self.config, self.log = folder, folder / "facelatch.yaml", folder / "house.log"
        self._port, self._tuning = free_port(), tuning
        self._up: subprocess.Popen[bytes] | None = None
        self.set_windows(ALWAYS)

    @property
    def settings(self) -> House:
        return house.load(self.config)

    def set_windows(self, windows: str) -> None:
        """Rewrite the house's file; a scheduler reads it when it starts."""
        text = CONFIG.format(port=self._port, windows=windows, timezone=TIMEZONE, t=self._tuning)
        self.config.write_text(text, encoding="utf-8")

    def draw(self, photos: dict[str, Path]) -> None:
        """The scenes: an empty hallway, and each visit of the story."""
        scenes.hallway(self.folder / "scenes/hallway")
        scenes.visit(self.folder / "scenes/known", [photos["obama3.jpg"]])
        scenes.visit(self.folder / "scenes/stranger", [photos["biden.jpg"]])
        scenes.visit(self.folder / "scenes/pair", [photos["obama3.jpg"], photos["astronaut.png"]])
        self.show("hallway")

    def show(self, scene: str) -> None:
        """What the camera sees from now on. Replaced in one step, as a person steps into view."""
        draft = self.folder / "camera.new"
        draft.symlink_to(self.folder / "scenes" / scene)
        draft.replace(self.folder / "camera")

    def facelatch(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run one `facelatch` command and return what it prints. Raises HouseFailed."""
        command = [sys.executable, "-m", "agents.cli", *arguments, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        if done.returncode != 0:
            raise HouseFailed(f"facelatch {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def supervisor(self, *arguments: str) -> str:
        """Ask the supervisor of `facelatch up`, as an operator would."""
        conf = self.folder / "data/run/supervisord.conf"
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(conf), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout

    def send(self, topic: str, payload: str) -> None:
        """As anybody would from a shell."""
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self._port), "-t", topic, "-m", payload]
        subprocess.run(command, check=True, timeout=10)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """`facelatch up` until the end of the block; afterwards no process is left."""
        with self.log.open("wb") as log:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "agents.cli", "up", "--config", str(self.config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the house
            )
        try:
            yield
        finally:
            self._stop(self._up)

    def check_up(self) -> None:
        """Raises HouseFailed when `facelatch up` has ended."""
        if self._up is not None and self._up.poll() is not None:
            raise HouseFailed("facelatch up has ended")

    def log_tail(self, lines: int = 30) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    @staticmethod
    def _stop(up: subprocess.Popen[bytes]) -> None:
        up.terminate()
        try:
            up.wait(STOP_S)
        except subprocess.TimeoutExpired:
            up.kill()
            up.wait()


@contextlib.contextmanager
def temporary_house(
    photos: dict[str, Path], progress: Callable[[str], None], tuning: Tuning = Tuning()
) -> Iterator[DemoHouse]:
    """A house with its scenes drawn from photographs and one person enrolled, gone at the end of the block."""
    with _house(tuning) as made:
        progress("drawing what the camera will see")
        made.draw(photos)
        progress(f"enrolling {PERSON} from two photos")
        made.facelatch("enroll", PERSON, str(photos["obama.jpg"]), str(photos["obama2.jpg"]))
        yield made


@contextlib.contextmanager
def living_house(clips: dict[str, Path], progress: Callable[[str], None], models: str | None) -> Iterator[DemoHouse]:
    """A house to which people come who live, as they do in `clips`, gone at the end of the block.

    `models` is where the networks that tell a face from a picture are; without, they are fetched from where
    the manifest says. Where they are not to be had, everybody is asked to move.
    """
    with _house(Tuning(liveness="required")) as made:
        progress("cutting what the camera will see out of video clips")
        stage.act(clips, made.folder / "scenes")
        made.show("hallway")
        _install_networks(made, progress, models)
        progress(f"enrolling {HIM} from photographs of another day")
        made.facelatch("enroll", HIM, *map(str, stage.portraits(clips, made.folder / "portraits")))
        yield made


def _install_networks(made: DemoHouse, progress: Callable[[str], None], models: str | None) -> None:
    place = [] if models is None else ["--from", str(Path(models).resolve()) if Path(models).exists() else models]
    try:
        made.facelatch("models", "install", "liveness", *place, timeout_s=120.0)
    except HouseFailed as error:
        progress(f"{error}\ndemo: without these networks everybody is asked to move")


@contextlib.contextmanager
def _house(tuning: Tuning) -> Iterator[DemoHouse]:
    # not in $TMPDIR: on macOS its path is too long for the supervisor's Unix socket
    folder = Path(tempfile.mkdtemp(prefix="facelatch-", dir="/tmp"))
    try:
        yield DemoHouse(folder, tuning)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
