"""`facelatch calibrate`, as typed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from agents.cli.gallery import Place
from agents.recognizer.matcher import Encoding
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.records import Sample
from agents.recognizer.vision.engine import Engine
from agents.runtime.clock import Now
from benchmarks.encoded import encoder
from tests.cli.conftest import HOUSE, Done, Facelatch

DLIB = "dlib-resnet-v1/mirrored"
LFW = Path(__file__).parents[3] / "shared/faces/lfw/known"
MINE = f"""\
recognizer:
  encoder: mine
  detector: yunet
  models: {{ mine: {{ kind: arcface, file: mine.onnx, sha256: {"f" * 64}, threshold: 0.5 }} }}
"""

Enroll = Callable[..., None]


@pytest.fixture
def enroll(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Enroll:
    """People around directions of their own: Ana, Eva, Ivan and whoever else is named by photos. No model is loaded."""

    def photos(centre: Encoding, count: int = 5) -> list[Encoding]:
        away = np.random.default_rng(int(centre.argmax())).normal(size=(count, 128))
        return list(centre + 0.2 * away / np.linalg.norm(away, axis=1, keepdims=True))

    def enroll(ignored: bool = False, encoder: str = DLIB, **more: list[Encoding]) -> None:
        monkeypatch.setattr(Place, "engine", lambda _place: SimpleNamespace(encoder=encoder))
        people = {name: photos(np.eye(128)[i]) for i, name in enumerate(("Ana", "Eva", "Ivan"))}
        with Gallery(folder / "data" / "gallery.sqlite", create=True) as gallery:
            for name, own in (more if ignored else people | more).items():
                for i, encoding in enumerate(own):
                    sample = Sample(encoding, encoder, f"{name} {i + 1}")
                    gallery.add(name, sample, Now(1_800_000_000.0 + 86_400 * i, 0.0), ignored)

    return enroll


def between(number: int, distance: float) -> Encoding:
    """So far from Ana, on the way to that direction."""
    angle = 2 * math.asin(distance / 2)
    return np.asarray(math.cos(angle) * np.eye(128)[0] + math.sin(angle) * np.eye(128)[number])


def text(done: Done) -> str:
    return "\n".join(done.out)


def test_where_all_is_well_it_says_so_with_everybodys_spread_and_the_strangers_to_expect(
    facelatch: Facelatch, enroll: Enroll
) -> None:
    enroll()
    done = facelatch("calibrate")
    assert (done.status, done.err) == (0, [])
    assert done.out[0] == f"3 enrolled, 15 photos, encoder {DLIB}; threshold 0.31"
    assert sorted(line.split()[0] for line in done.out[2:5]) == ["Ana", "Eva", "Ivan"]
    assert all(line.split()[1:5] == ["5", "5", "of", "5"] for line in done.out[2:5])
    assert "Nobody can be taken for somebody else who may come in." in done.out
    assert "Strangers let in by one photo: about 1 in 7,900; it may be as many as 1 in 2,600" in text(done)
    assert "measured on news photos (Labeled Faces in the Wild)" in text(done)
    assert "Proposal: leave the threshold as it is; 0.31 recognizes 100.0% of" in text(done)
    assert "does not fit" not in text(done)


def test_a_wrong_photo_is_named_as_people_show_has_it_with_what_to_do(facelatch: Facelatch, enroll: Enroll) -> None:
    enroll(Ana=[between(9, 0.0), between(0, 0.1), np.eye(128)[1] + 0.1, between(9, 0.1)])
    done = facelatch("calibrate")
    assert done.status == 1
    (line,) = (line for line in done.out if line.startswith("  Ana, photo 3") and "looks like" in line)
    assert "looks like Eva (distance 0." in line
    shown = facelatch("people", "show", "Ana").out[3]
    assert line.startswith(f"  Ana, photo 3 of {shown.strip().removeprefix('3: ')[:16]}: ")
    assert "    SHA-256 Ana 3" in done.out
    assert "Settle first what does not fit, and calibrate again: it would be 0.31." in done.out
    assert "facelatch people remove NAME" in text(done)


def test_two_who_are_alike_are_named_and_a_stricter_threshold_proposed_but_not_set(
    facelatch: Facelatch, enroll: Enroll, folder: Path
) -> None:
    enroll(Iva=[between(9, 0.2), between(9, 0.22)])
    before = (folder / "facelatch.yaml").read_text(), (folder / "data" / "gallery.sqlite").read_bytes()
    done = facelatch("calibrate")
    assert done.status == 1
    assert "Taken for the second at threshold 0.31, were the first not enrolled:" in done.out
    assert "it keeps Iva and Ana apart" in text(done) or "it keeps Ana and Iva apart" in text(done)
    assert "It is for you to put into facelatch.yaml:" in done.out
    (setting,) = (line.strip() for line in done.out if line.startswith("  recognizer:"))
    assert ((folder / "facelatch.yaml").read_text(), (folder / "data" / "gallery.sqlite").read_bytes()) == before
    (folder / "facelatch.yaml").write_text(HOUSE + setting + "\n")
    done = facelatch("calibrate")
    assert done.status == 0
    assert "Proposal: leave the threshold as it is" in text(done)


def test_who_is_disabled_or_ignored_counts_and_is_called_so(facelatch: Facelatch, enroll: Enroll) -> None:
    enroll(Iva=[between(9, 0.2)])
    facelatch("people", "disable", "Iva")
    facelatch("people", "disable", "Ana")
    done = facelatch("calibrate")
    assert done.status == 0, "they are alike, and neither may come in"
    assert "Closest pair: Iva (disabled), photo 1 of " in text(done)
    facelatch("people", "enable", "Ana")
    enroll(ignored=True, poster=[np.eye(128)[1]])
    done = facelatch("calibrate")
    assert done.status == 1
    assert [line for line in done.out if line.startswith("  Iva (disabled), photo 1 of ") and ", and Ana: " in line]
    assert [line for line in done.out if line.startswith("  poster (on the ignore list), photo 1 of ")]
    assert "Of a single photo nothing can be told; more would help: Iva (disabled), poster (on the ignore list)." in (
        done.out
    )


def test_only_the_worst_are_listed_unless_all_are_asked_for(facelatch: Facelatch, enroll: Enroll) -> None:
    enroll(**{f"p{i:02}": [np.eye(128)[i + 10], np.eye(128)[i + 10] + 0.02] for i in range(30)})
    few, everybody = facelatch("calibrate").out, facelatch("calibrate", "--all").out
    assert few[22] == "and 13 more: --all"
    assert len(everybody) == len(few) + 12
    largest = [float(line.split()[-1]) for line in everybody[2:35]]
    assert largest == sorted(largest, reverse=True)


def test_as_json_it_is_one_object(facelatch: Facelatch, enroll: Enroll) -> None:
    enroll(Iva=[between(9, 0.2), between(9, 0.25), np.eye(128)[2]])
    done = facelatch("calibrate", "--json")
    assert done.status == 1
    (line,) = done.out
    told = json.loads(line)
    assert told["threshold"] == 0.31
    assert {person["person"] for person in told["people"]} == {"Ana", "Eva", "Ivan", "Iva"}
    assert (told["misfits"][0]["person"], told["misfits"][0]["photo_sha256"]) == ("Iva", "Iva 3")
    assert told["closest"] in told["conflicts"]
    assert 0 < told["proposal"]["threshold"] < told["closest"]["score"] < 0.31
    assert told["proposal"]["bound"] == "pair"
    assert told["proposal"]["recognized"] <= told["recognized"] < 1
    assert 0 < told["proposal"]["strangers"] < told["strangers"] < 0.001


def test_another_encoder_has_its_threshold_under_models_and_nothing_is_claimed_of_strangers(
    facelatch: Facelatch, enroll: Enroll, folder: Path
) -> None:
    (folder / "facelatch.yaml").write_text(HOUSE + MINE)
    enroll(encoder="mine-ffffffffffffffff/mirrored", Iva=[between(9, 0.4), between(9, 0.42)])
    done = facelatch("calibrate")
    assert done.status == 1
    assert "Strangers: how many this encoder lets in is not known; it was measured for dlib-resnet alone." in done.out
    assert "strangers" not in text(done).partition("Proposal")[2]
    (setting,) = (line.strip() for line in done.out if line.startswith("  recognizer:"))
    assert setting.startswith("recognizer: { models: { mine: { threshold: 0.")
    assert float(setting.split()[-4]) < 0.5


def test_a_threshold_looser_than_the_default_is_said_to_be_and_one_that_needs_not_be_so_strict(
    facelatch: Facelatch, enroll: Enroll, folder: Path
) -> None:
    enroll()
    (folder / "facelatch.yaml").write_text(HOUSE + "recognizer: { threshold: 0.45 }\n")
    told = text(facelatch("calibrate"))
    assert "a threshold of 0.31 instead of 0.45: it is the loosest that is ever proposed." in told
    assert "Strangers let in by one photo: more than 1 in 48." in told
    (folder / "facelatch.yaml").write_text(HOUSE + "recognizer: { threshold: 0.2 }\n")
    told = text(facelatch("calibrate"))
    assert "leave the threshold as it is; 0.2 recognizes" in told
    assert "No looser than 0.31" in told
    assert "Strangers let in by one photo: fewer than 1 in 91,000." in told


def test_before_anybody_is_enrolled_it_says_how_to(facelatch: Facelatch, enroll: Enroll, folder: Path) -> None:
    nobody = Done(1, [], ["facelatch: nobody is enrolled yet: facelatch enroll NAME PHOTO…"])
    enroll()
    for name in ("Ana", "Eva", "Ivan"):
        facelatch("people", "remove", name)
    assert facelatch("calibrate") == nobody
    (folder / "data" / "gallery.sqlite").unlink()
    assert facelatch("calibrate") == nobody


def test_people_whom_another_encoder_made_are_refused_with_the_way_out(
    facelatch: Facelatch, enroll: Enroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll()
    monkeypatch.setattr(Place, "engine", lambda _place: SimpleNamespace(encoder="another"))
    done = facelatch("calibrate")
    assert (done.status, done.out) == (1, [])
    assert "not by another" in done.err[0]


@pytest.mark.skipif(not LFW.exists(), reason="needs the photos of ../shared/faces/lfw")
def test_the_photo_that_labeled_faces_in_the_wild_itself_has_under_a_wrong_name_is_found(
    facelatch: Facelatch, folder: Path, one_engine: Engine
) -> None:
    """By its list of errors Recep_Tayyip_Erdogan_0004 shows Abdullah Gul."""
    encode = encoder()
    with Gallery(folder / "data" / "gallery.sqlite", create=True) as gallery:
        for name in ("Recep_Tayyip_Erdogan", "Abdullah_Gul", "Ann_Veneman", "Ari_Fleischer"):
            for path in sorted((LFW / name).glob("*.jpg"))[:5]:
                gallery.add(name, Sample(encode(path).mirrored, one_engine.encoder, path.name), Now(1.8e9, 0.0))
    told = json.loads(facelatch("calibrate", "--json").out[0])
    (misfit,) = told["misfits"]
    assert (misfit["photo_sha256"], misfit["other"]) == ("Recep_Tayyip_Erdogan_0004.jpg", "Abdullah_Gul")
    assert told["conflicts"][0]["number"] == 4
