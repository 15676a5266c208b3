"""What the accuracy benchmark makes of encodings; with ../shared, what the shipped defaults do on photos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import accuracy, curve, pairs
from benchmarks.accuracy import METHODS, Faces, Trial, cross_validated, measure, missed_targets, rates, table, trials
from benchmarks.encoded import Encoded, encoder

LFW = Path(__file__).parents[3] / "shared/faces/lfw"
NOTHING = Encoded(np.full(16, np.nan), np.full(16, np.nan))


def encoded(values: npt.NDArray[np.float64]) -> Encoded:
    return Encoded(values, values)


def house(people: int = 6, photos: int = 8, strangers: int = 40, noise: float = 0.03) -> Faces:
    """People whose photos are all alike, and strangers who are like nobody."""
    rng = np.random.default_rng(0)

    def face() -> npt.NDArray[np.float64]:
        made = rng.normal(size=16)
        return np.asarray(made / np.linalg.norm(made))

    def photos_of(centre: npt.NDArray[np.float64]) -> list[Encoded]:
        return [encoded(centre + noise * rng.normal(size=16)) for _ in range(photos)]

    return Faces({f"P{i}": photos_of(face()) for i in range(people)}, [encoded(face()) for _ in range(strangers)])


def test_where_everybody_is_easily_told_apart_nobody_is_wrong() -> None:
    figures, _ = measure(house(), photos=3, enrolments=4)
    expected = {"strangers_of_600": 0, "let_in_percent": 100, "mistaken_percent": 0}
    assert {name: figures["facelatch"][name] for name in expected} == expected
    assert missed_targets(figures) == []
    json.dumps(figures)
    assert "100.00 %" in table(figures)


def test_a_stranger_who_is_an_enrolled_persons_double_is_let_in_and_counted() -> None:
    faces = house(strangers=60)
    faces.strangers[0] = faces.people["P0"][0]
    figures, _ = measure(faces, photos=3, enrolments=4)
    assert figures["facelatch"]["strangers_of_600"] == 10
    assert figures["face_recognition"]["strangers_of_600"] >= 10
    assert missed_targets(figures) == ["facelatch.strangers_of_600 is 10.0, the target is 0 to 1"]


def test_photos_under_a_wrong_name_count_as_mistaken_not_as_let_in() -> None:
    faces = house(photos=10)
    faces.people["P0"][:2] = faces.people["P1"][:2]
    tried = trials(faces, METHODS["facelatch"][0], photos=3, enrolments=10)
    found = rates(tried, METHODS["facelatch"][1])
    assert found["mistaken_percent"] > 1
    assert found["let_in_percent"] + found["mistaken_percent"] <= 100


def test_a_photo_without_a_face_is_never_enrolled_and_never_somebody() -> None:
    faces = house()
    for photos in faces.people.values():
        photos[0] = NOTHING
    faces.strangers[0] = NOTHING
    figures, _ = measure(faces, photos=3, enrolments=5)
    assert figures["without_a_face"] == 7
    for name in ("facelatch", "face_recognition"):
        assert figures[name]["let_in_percent"] == pytest.approx(80), "of the five others shown one has no face"


def test_rates_are_averages_over_the_trials_and_the_worst_is_told() -> None:
    scores = np.array([0.1, 0.3])
    one = Trial(strangers=scores, others=scores, right=np.array([True, True]))
    other = Trial(strangers=scores + 1, others=scores, right=np.array([True, False]))
    found = rates([one, other], 0.3)
    assert (found["strangers_of_600"], found["strangers_most_of_600"]) == (300, 600)
    assert (found["let_in_percent"], found["let_in_least_percent"], found["mistaken_percent"]) == (75, 50, 25)


def test_a_chosen_threshold_lets_in_no_more_than_it_may() -> None:
    tried = [Trial(np.linspace(0, 1, 1000), np.zeros(1), np.ones(1, bool))]
    threshold = accuracy.threshold_at(tried, 0.01)
    assert np.mean(tried[0].strangers <= threshold) == pytest.approx(0.01)


def test_a_threshold_is_tried_on_other_people_than_it_was_chosen_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[frozenset[str]] = []
    real = accuracy.trials

    def spy(faces: Faces, *rest: object, **more: object) -> list[Trial]:
        seen.append(frozenset(faces.people))
        return real(faces, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(accuracy, "trials", spy)
    found = cross_validated(house(), photos=3, enrolments=4)
    for chosen, tried in zip(seen[::2], seen[1::2], strict=True):
        assert chosen.isdisjoint(tried)
        assert len(chosen | tried) == 6
    assert found["let_in_percent"] > 90


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"needs known/NAME/\*.jpg of two people, 6 photos each"):
        accuracy.read(tmp_path, 5, lambda _: NOTHING)


def test_who_has_no_photo_to_spare_is_left_out_and_so_is_a_photo_under_a_wrong_name(tmp_path: Path) -> None:
    for name, count in (("Ana", 3), ("Ivan", 4), ("Eva", 2)):
        (tmp_path / "known" / name).mkdir(parents=True)
        for i in range(count):
            (tmp_path / "known" / name / f"{i}.jpg").touch()
    (tmp_path / "known/Ana/Recep_Tayyip_Erdogan_0004.jpg").touch()
    (tmp_path / "unknown/deeper").mkdir(parents=True)
    for path in ("a.jpg", "deeper/b.jpg"):
        (tmp_path / "unknown" / path).touch()
    faces = accuracy.read(tmp_path, 2, lambda _: NOTHING)
    assert {name: len(photos) for name, photos in faces.people.items()} == {"Ana": 3, "Ivan": 4}
    assert len(faces.strangers) == 2


# --- the curve ---


def test_the_curve_falls_from_nobody_let_in_to_everybody(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    line = curve.line(rng.normal(0.6, 0.05, 500), np.append(rng.normal(0.2, 0.05, 500), np.inf), 0.4)
    assert (np.diff(line.accepts) >= 0).all()
    assert (np.diff(line.rejects) <= 0).all()
    assert line.accepts[-1] == 1
    assert line.rejects[-1] == pytest.approx(1 / 501), "who has no score is never let in"
    assert line.default[0] == 0
    file = tmp_path / "curve.png"
    curve.draw({"one": line, "other": line}, file)
    picture = cv2.imread(str(file))
    assert picture is not None
    assert picture.shape == (curve.HEIGHT, curve.WIDTH, 3)
    for colour in curve.COLOURS[:1]:
        assert (picture == colour).all(axis=2).sum() > 100


def test_a_picture_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    line = curve.line(np.array([1.0]), np.array([0.0]), 0.5)
    with pytest.raises(SystemExit, match="nowhere"):
        curve.draw({"one": line}, tmp_path / "nowhere/curve.png")


# --- pairs ---

PAIRS = "2\t1\nAna\t1\t2\nAna\t1\tIvan\t3\nIvan\t2\t3\nIvan\t1\tAna\t10\n"


def test_pairs_are_read_in_their_folds(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(PAIRS)
    folds = pairs.read(tmp_path / "pairs.txt", Path("images"))
    assert [[pair.same for pair in fold] for fold in folds] == [[True, False]] * 2
    assert folds[1][1].other == Path("images/Ana/Ana_0010.jpg")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: is not the number"),
        ("ten\tfolds\n", "line 1: is not the number"),
        ("2\t2\n" + PAIRS.split("\n", 1)[1], "has 4 pairs, not 2 times 2 times 2"),
        (PAIRS.replace("Ana\t1\t2", "Ana\t1"), "line 2: is no pair"),
        (PAIRS.replace("Ana\t1\t2", "Ana\tone\ttwo"), "line 2: is no pair"),
    ],
)
def test_a_damaged_list_of_pairs_is_refused_naming_the_line(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(SystemExit, match=problem):
        pairs.read(tmp_path / "pairs.txt", tmp_path)


def test_each_fold_is_judged_by_the_threshold_of_the_others() -> None:
    same = np.array([[True, False]] * 3)
    found = pairs.figures(np.array([[0.2, 0.6], [0.2, 0.6], [0.5, 0.9]]), same)
    assert found["accuracy_percent"] == pytest.approx(100 * 5 / 6, abs=0.01), "the third fold's pair is too far at 0.4"
    assert found["true_accepts_percent"] == 100


def test_a_pair_without_a_face_is_two_people() -> None:
    face = encoded(np.eye(16)[0])
    assert pairs.distance(face, NOTHING) > pairs.distance(face, encoded(-np.eye(16)[0]))


# --- photographs ---


@pytest.mark.skipif(not LFW.exists(), reason="needs the photos of ../shared/faces/lfw")
def test_the_shipped_defaults_do_well_on_some_of_labeled_faces_in_the_wild(tmp_path: Path) -> None:
    """A guard, and no measurement: for that all photos are needed, and a minute (benchmarks/accuracy.py)."""
    for person in sorted((LFW / "known").iterdir())[::3]:
        some(tmp_path / "known" / person.name, sorted(person.glob("*.jpg"))[:9])
    some(tmp_path / "unknown", sorted((LFW / "unknown").glob("*/*.jpg"))[::5])
    faces = accuracy.read(tmp_path, 5, encoder())
    tried = trials(faces, METHODS["facelatch"][0], photos=5, enrolments=8)
    found = rates(tried, METHODS["facelatch"][1])
    assert found["strangers_of_600"] <= 10  # 2 of these 120; face_recognition's default lets half of them in
    assert found["let_in_percent"] >= 95
    assert found["mistaken_percent"] <= 0.1


def some(folder: Path, photos: Sequence[Path]) -> None:
    folder.mkdir(parents=True)
    for photo in photos:
        (folder / photo.name).symlink_to(photo)
