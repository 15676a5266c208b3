"""Clips are read alike, whatever they are, and a folder that is laid out wrongly is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.clips import Clip, ClipError, Image, of_folder, of_user


def picture(grey: int, width: int = 64, height: int = 48) -> Image:
    return np.full((height, width, 3), grey, np.uint8)


def write(path: Path, grey: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture(grey))
    return path


def video(path: Path, fps: float, count: int) -> Path:
    """Each picture a little lighter than the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for number in range(count):
        writer.write(picture(20 + 4 * number))
    writer.release()
    return path


def greys(clip: Clip, length_s: float = float("inf")) -> list[int]:
    return [round(float(image.mean())) for _, image in clip.frames(length_s=length_s)]


def test_a_video_gives_at_most_ten_pictures_a_second(tmp_path: Path) -> None:
    clip = Clip("a", "Ana", video(tmp_path / "a.avi", 30, 45))
    times = [at_s for at_s, _ in clip.frames()]
    assert np.allclose(np.diff(times), 0.1, atol=0.04)
    assert len(times) == 15
    assert clip.length_s() == pytest.approx(1.5, abs=0.05)


def test_a_part_of_a_video_begins_where_it_was_asked_for(tmp_path: Path) -> None:
    clip = Clip("a", "Ana", video(tmp_path / "a.avi", 10, 40))
    part = clip.part(1.0, 1.0)
    assert len(part) == 10
    assert [round(float(image.mean())) for image in part] == pytest.approx(range(140, 180, 4), abs=2)


def test_a_folder_of_stills_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name, grey in {"2": 120, "1": 60, "3": 180}.items():
        write(tmp_path / f"clip/{name}.png", grey)
    assert greys(Clip("clip", "Ana", tmp_path / "clip")) == [60, 120, 180]


def test_a_single_picture_is_shown_for_a_while(tmp_path: Path) -> None:
    assert greys(Clip("one", "Ana", write(tmp_path / "one.png", 90)), length_s=2.0) == [90] * 20


def test_pictures_are_made_to_fit_and_never_enlarged() -> None:
    clip = Clip("a", "Ana", pictures=(picture(9, 1280, 1024), picture(9, 100, 80)))
    assert [image.shape[:2] for _, image in clip.frames()] == [(360, 450), (80, 100)]


def test_a_users_folder_has_people_and_kinds_of_attacks(tmp_path: Path) -> None:
    write(tmp_path / "live/ana.png")
    video(tmp_path / "attack/print/one.avi", 10, 5)
    write(tmp_path / "attack/replay/two/1.png")
    live, attacks = of_user(tmp_path)
    assert [clip.person for clip in live] == ["ana"]
    assert {kind: [clip.name for clip in clips] for kind, clips in attacks.items()} == {
        "print": ["one.avi"],
        "replay": ["two"],
    }


def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="has neither live/ nor attack/KIND/ in it"):
        of_user(tmp_path)
    with pytest.raises(ClipError, match="there is no such folder"):
        of_folder(tmp_path / "nowhere")
    stray = write(tmp_path / "attack/stray.png")
    with pytest.raises(ClipError, match=r"stray.png: clips of attacks belong into a folder of their kind"):
        of_user(tmp_path)
    stray.unlink()
    (tmp_path / "attack/print").mkdir()
    with pytest.raises(ClipError, match=r"print: no clips in it"):
        of_user(tmp_path)
    (tmp_path / "attack/print/notes.txt").write_text("none")
    with pytest.raises(ClipError, match=r"notes.txt: is no video"):
        of_user(tmp_path)


@pytest.mark.parametrize("name", ["damaged.png", "damaged.mp4"])
def test_a_file_that_is_not_what_its_name_says_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not what it says")
    with pytest.raises(ClipError, match=name):
        list(Clip("a", "Ana", tmp_path / name).frames())
