"""`facelatch enroll NAME --camera CAMERA`: what is shown and which frames count. The whole is in tests/live."""

from __future__ import annotations

import io

import pytest

from agents.cli.enroll_camera import Fresh, Progress
from agents.recognizer.config import RecognizerSettings
from agents.runtime.events import Message
from agents.wire.feed import Feed
from agents.wire.stamp import Stamp
from agents.wire.topics import FRAME
from tests.cli.conftest import Facelatch
from tests.fakes import T0, after
from tests.recognizer.jpegs import jpeg


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminals_last_line_is_written_over_until_something_is_said_for_good() -> None:
    out = Terminal()
    progress = Progress(out)
    progress.say("1/5 look straight at the camera")
    for text in ("too dark", "too dark", "hold still (1/5)"):
        progress.hint(text, after(0))
    progress.say("    kept")
    assert out.getvalue() == (
        "\r\x1b[K1/5 look straight at the camera\n\r\x1b[K    too dark\r\x1b[K    hold still (1/5)\r\x1b[K    kept\n"
    )


def test_without_a_terminal_hints_are_plain_lines_once_a_second() -> None:
    out = io.StringIO()
    progress = Progress(out)
    for tenths, text in enumerate(["too dark", "come closer"] * 10):
        progress.hint(text, after(tenths / 10))
    assert out.getvalue().splitlines() == ["    too dark", "    come closer"]


def frame(payload: bytes, age_s: float = 0.0, retain: bool = False, stamped: bool = True) -> Message:
    properties = Stamp(T0 - age_s, 1).properties() if stamped else ()
    return Message(FRAME, ("front",), payload, retain, properties, T0)


@pytest.fixture
def fresh() -> Fresh:
    return Fresh(Feed("front"), RecognizerSettings())


@pytest.mark.parametrize("stamped", [True, False])
def test_a_frame_of_now_is_looked_at(fresh: Fresh, stamped: bool) -> None:
    image = fresh.image(frame(jpeg(64, 48), stamped=stamped), after(0))
    assert image is not None
    assert image.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (frame(jpeg(), retain=True), "its frames are refused: frame is retained: it may be of any age"),
        (frame(jpeg(), age_s=3.0), "its frames are too old, or ahead: do the clocks agree?"),
        (frame(jpeg(), age_s=-3.0), "its frames are too old, or ahead: do the clocks agree?"),
        (frame(b"no picture"), "its frames are refused: is not a JPEG"),
    ],
    ids=["retained", "old", "of the future", "no picture"],
)
def test_other_frames_are_not_and_the_reason_is_kept(fresh: Fresh, message: Message, problem: str) -> None:
    assert fresh.image(message, after(0)) is None
    assert fresh.problem == problem


def test_the_same_picture_again_is_frozen_whatever_its_stamp_claims(fresh: Fresh) -> None:
    assert fresh.image(frame(jpeg(), age_s=1.0), after(0)) is not None
    assert fresh.image(frame(jpeg()), after(0)) is None
    assert fresh.problem == "its picture is frozen"


def test_a_misspelt_camera_is_answered_with_the_nearest_one(facelatch: Facelatch) -> None:
    done = facelatch("enroll", "Ana", "--camera", "frnt")
    assert done == (1, [], ["facelatch: there is no camera 'frnt'; did you mean front?"])
    assert facelatch("enroll", "Ana", "--camera", "9").err == ["facelatch: there is no camera '9'; there is front"]
