"""The contact sheet."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.recognizer.people import sheet as sheet_module
from agents.recognizer.people.sheet import CELL_PX, GAP_PX, LINE_PX, Cell, contact_sheet
from tests.recognizer.jpegs import jpeg

RED = cv2.imencode(".jpg", np.full((100, 80, 3), (0, 0, 250), np.uint8))[1].tobytes()
ROW_PX = CELL_PX + 2 * LINE_PX + GAP_PX


def drawn(*cells: Cell) -> np.ndarray[tuple[int, ...], np.dtype[np.integer]]:
    """As BGR."""
    image = cv2.imdecode(np.frombuffer(contact_sheet(cells), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.astype(int)


def test_every_face_has_its_place_its_colours_and_text_below_it() -> None:
    sheet = drawn(*[Cell(RED, "Ana Kovač", "2026-05-01 08:30")] * 3)
    assert sheet.shape[:2] == (2 * ROW_PX + GAP_PX, 2 * (CELL_PX + GAP_PX) + GAP_PX, 3)[:2]
    for top, left, there in ((0, 0, True), (0, 1, True), (1, 0, True), (1, 1, False)):
        y, x = GAP_PX + top * ROW_PX, GAP_PX + left * (CELL_PX + GAP_PX)
        blue, _, red = sheet[y + CELL_PX // 2, x + CELL_PX // 2]
        assert (red - blue > 200) == there
        name, note = (
            sheet[y + CELL_PX + n * LINE_PX : y + CELL_PX + (n + 1) * LINE_PX, x : x + CELL_PX] for n in (0, 1)
        )
        assert [bool((part < 200).any()) for part in (name, note)] == [there, there]


@pytest.mark.parametrize(("faces", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (100, 10), (150, 10)])
def test_the_sheet_is_about_square_and_never_too_wide(faces: int, columns: int) -> None:
    assert drawn(*[Cell(RED, "a", "b")] * faces).shape[1] == columns * (CELL_PX + GAP_PX) + GAP_PX


def test_more_faces_than_a_sheet_holds_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_module, "MAX_FACES", 4)
    assert contact_sheet([Cell(RED, "a", "b")] * 5) == contact_sheet([Cell(RED, "a", "b")] * 4)


@given(
    crop=st.sampled_from([b"", b"no picture", RED[:-2], jpeg(1, 400), jpeg(400, 1), jpeg(399, 400)]),
    name=st.text("abčW李 ", max_size=64),
)
@settings(max_examples=30, deadline=None)
def test_any_crop_and_any_name_fit_into_their_cell(crop: bytes, name: str) -> None:
    sheet = drawn(Cell(crop, name, "2026-05-01 08:30"))
    assert sheet.shape == (ROW_PX + GAP_PX, CELL_PX + 2 * GAP_PX, 3)
    assert (sheet[:, CELL_PX + GAP_PX + 2 :] == 255).all(), "nothing is written past the cell"
