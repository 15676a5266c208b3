"""The file that remembers the switches: whatever is in it, a restart switches none on."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.scheduler import switches
from agents.scheduler.standing import Standing
from agents.scheduler.switches import NAME, SwitchesError
from agents.wire.scheduling import LetIn

PETRA = LetIn(person="Petra", until=1_800_000_000.0, source="Ana", asked_at=1_799_999_000.5)
STANDING = Standing(enabled={"front": False, "back": True}, away=True, let_in={"front": (PETRA,)})


def test_where_there_is_no_file_yet_nothing_is_known(tmp_path: Path) -> None:
    assert switches.load(tmp_path / "not yet there") == Standing()


def test_what_was_saved_is_loaded_also_into_a_folder_that_was_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    switches.save(folder, STANDING)
    assert switches.load(folder) == STANDING
    assert [path.name for path in folder.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"front": tru', b"\xff\xfe", b"\0" * 64, b"null", b"[]", b'{"front": true}', b'{"away": 1}'],
)
def test_a_damaged_file_is_an_error_that_names_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(SwitchesError, match=NAME):
        switches.load(tmp_path)


def test_a_file_that_can_not_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(SwitchesError, match=NAME):
        switches.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SwitchesError, match=NAME):
        switches.load(tmp_path / "file")


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_when_saving_fails_half_way_the_old_file_is_whole(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches.save(tmp_path, STANDING)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(step, fail)
        with pytest.raises(SwitchesError, match=rf"{NAME}: can't be written: .*No space left"):
            switches.save(tmp_path, Standing())
    assert switches.load(tmp_path) == STANDING
