"""MiniFASNet: which part of the picture it is given, and what it says of the pictures of its authors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from agents.recognizer.core import Seen
from agents.recognizer.liveness.rule import LivenessRule
from agents.recognizer.picture import decode
from agents.recognizer.vision.examiner import load_examiner
from agents.recognizer.vision.install import install
from agents.recognizer.vision.manifest import liveness, merged
from agents.recognizer.vision.minifas import INPUT_PX, MiniFas
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.yunet import YuNet
from agents.wire.identity import Box

WIDTH_PX, HEIGHT_PX = 640, 360
SHARED = Path(__file__).parents[4] / "shared"


class Eye:
    """In place of a network: keeps what it is given."""

    def __init__(self, *logits: float) -> None:
        self.logits, self.given = logits, np.empty(0, np.float32)

    def run(self, batch: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        self.given = batch.astype(np.float32)
        return np.array([self.logits], np.float32)


def gradient() -> npt.NDArray[np.uint8]:
    """Red tells the column (a quarter of it), green the row (half of it), blue is 7."""
    columns, rows = np.meshgrid(np.arange(WIDTH_PX) // 4, np.arange(HEIGHT_PX) // 2)
    return np.stack([columns, rows, np.full_like(rows, 7)], axis=2).astype(np.uint8)


def given(box: Box, scale: float) -> npt.NDArray[np.float32]:
    eye = Eye(0, 0, 0)
    MiniFas([(eye, scale)]).score(gradient(), box)
    return eye.given


def test_it_gets_the_pixels_as_they_are_blue_first() -> None:
    batch = given(Box(left=300, top=150, width=60, height=60), 2.7)
    assert batch.shape == (1, 3, INPUT_PX, INPUT_PX)
    assert np.all(batch[0, 0] == 7)
    assert batch[0, 2, 40, 40] == pytest.approx(330 / 4, abs=1.5)
    assert batch[0, 1, 40, 40] == pytest.approx(180 / 2, abs=1.5)


def test_it_sees_so_many_times_the_face() -> None:
    batch = given(Box(left=300, top=150, width=60, height=60), 2.0)
    columns = batch[0, 2, 40] * 4
    assert (columns[0], columns[-1]) == (pytest.approx(270, abs=6), pytest.approx(390, abs=6))


@pytest.mark.parametrize(
    "box",
    [
        Box(left=0, top=0, width=100, height=100),
        Box(left=-40, top=-40, width=100, height=100),
        Box(left=590, top=310, width=100, height=100),
        Box(left=100, top=0, width=400, height=360),
        Box(left=-100, top=-100, width=900, height=700),
    ],
)
def test_at_the_edge_what_it_sees_is_moved_inside_and_made_smaller_where_it_has_to_be(box: Box) -> None:
    batch = given(box, 4.0)
    assert np.all(batch[0, 0] == 7)
    assert batch[0, 2].max() <= WIDTH_PX / 4


@pytest.mark.parametrize(
    ("logits", "score"), [((0, 9, 0), 1.0), ((9, 0, 0), 0.0), ((0, 0, 9), 0.0), ((1, 1, 1), 1 / 3)]
)
def test_the_score_is_the_share_of_the_live_class(logits: tuple[float, ...], score: float) -> None:
    box = Box(left=300, top=150, width=60, height=60)
    assert MiniFas([(Eye(*logits), 2.7)]).score(gradient(), box) == pytest.approx(score, abs=1e-3)


def test_it_is_the_mean_of_the_networks() -> None:
    box = Box(left=300, top=150, width=60, height=60)
    assert MiniFas([(Eye(0, 99, 0), 2.7), (Eye(99, 0, 0), 4.0)]).score(gradient(), box) == pytest.approx(0.5)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_sees_no_life(broken: float) -> None:
    box = Box(left=300, top=150, width=60, height=60)
    assert MiniFas([(Eye(broken, broken, broken), 2.7)]).score(gradient(), box) == 0


@pytest.mark.skipif(not SHARED.exists(), reason="needs the pictures and networks of ../shared")
@pytest.mark.parametrize(("photo", "live"), [("T1", True), ("F1", False), ("F2", False)])
def test_the_authors_own_pictures_are_told_apart(photo: str, live: bool, tmp_path: Path) -> None:
    models = Models(merged({}), tmp_path, tmp_path)
    install(liveness(models.manifest), models, str(SHARED / "models"))
    image = decode((SHARED / f"faces/attacks/silentface_image_{photo}.jpg").read_bytes(), cv2.IMREAD_COLOR)
    face = max(YuNet(models.path("yunet"), 60).find(image, 0), key=lambda found: found.box.width)
    look = load_examiner(models).look(image, None, Seen(face.box, face.outline, np.zeros(1), 99.0), 0.0)
    assert look.doubt is None
    assert look.texture is not None
    assert look.texture > 0.9 if live else look.texture < LivenessRule().spoof
