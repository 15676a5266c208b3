"""The recognizer agent between a session in the test's hands and real photographs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from agents.recognizer import agent as agent_module
from agents.recognizer.agent import GONE_AFTER_S, WARN_EVERY_S, RecognizerAgent
from agents.recognizer.config import KeepUnknown, RecognizerSettings
from agents.recognizer.errors import ModelError
from agents.recognizer.matcher import Encoding
from agents.recognizer.people.enroll import encode_photo
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.photo import read_photo
from agents.recognizer.people.records import Sample
from agents.recognizer.people.unknowns import FILE, UnknownFile
from agents.recognizer.vision.engine import Engine
from agents.recognizer.vision.manifest import shipped
from agents.runtime.events import Message
from agents.runtime.health import Report
from agents.runtime.inbox import Inbox
from agents.runtime.settings import MqttSettings, Site
from agents.wire.feed import Feed
from agents.wire.messages import MAX_FRAME_BYTES
from agents.wire.stamp import Stamp
from agents.wire.topics import FRAME, IDENTITY, PERSON, SNAPSHOT
from tests.fakes import T0, FakeClock, FakeSession, after
from tests.recognizer.conftest import Scene
from tests.recognizer.jpegs import claiming

MAN, STRANGER, WOMAN = "obama3.jpg", "biden.jpg", "astronaut.png"
NAME = "Barack Obama"


class House:
    """A recognizer with one camera that was started and connected."""

    def __init__(self, gallery: Path, **settings: Any) -> None:
        self.session, self.clock, self.seq, self.folder = FakeSession(), FakeClock(), 0, gallery.parent
        self.agent = RecognizerAgent(
            RecognizerSettings(gallery=str(gallery), **settings),
            [Feed("front")],
            ["front"],
            Site(MqttSettings(), gallery.parent, gallery.parent / "data"),
            self.session,
            Inbox(),
            self.clock,
        )
        self.agent.start()
        self.agent.on_connect(self.clock.now())
        self.agent.publish_all(self.clock.now())
        self.agent.on_tick(self.clock.now())

    def show(self, jpeg: bytes, age_s: float = 0.0, retain: bool = False) -> Stamp:
        """A frame of a camera that stamps its frames, different in a bit from the one before."""
        self.seq += 1
        if jpeg.startswith(b"\xff\xd8"):
            jpeg += self.seq.to_bytes(2)  # behind the end of the picture
        stamp = Stamp(self.clock.at.utc - age_s, self.seq)
        self.arrive(jpeg, stamp.properties(), retain)
        return stamp

    def arrive(self, jpeg: bytes, properties: tuple[tuple[str, str], ...] = (), retain: bool = False) -> None:
        now = self.clock.now()
        self.agent.on_event(Message(FRAME, ("front",), jpeg, retain, properties, now.utc), now)
        self.agent.on_tick(now)

    def wait(self, until_s: float) -> None:
        self.clock.at = after(until_s)
        self.agent.on_tick(self.clock.now())

    @property
    def identities(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.session.texts(IDENTITY)]

    @property
    def persons(self) -> list[str]:
        return self.session.texts(PERSON)

    @property
    def snapshots(self) -> int:
        return sum(said.topic is SNAPSHOT for said in self.session.said)

    @property
    def report(self) -> Report:
        return self.agent.report()


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "gallery.sqlite"


@pytest.fixture(scope="module")
def encoding(photos: dict[str, Path], engine: Engine) -> Callable[[str], Encoding]:
    return cache(lambda file: encode_photo(read_photo(photos[file]), engine))


@pytest.fixture
def enroll(gallery: Path, encoding: Callable[[str], Encoding], engine: Engine) -> Callable[..., None]:
    def add(name: str, *files: str) -> None:
        with Gallery(gallery, create=True) as opened:
            for file in files:
                opened.add(name, Sample(encoding(file), engine.encoder, file), after(0))

    return add


@pytest.fixture
def make(
    gallery: Path, enroll: Callable[..., None], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., House]]:
    """Houses that share one engine: loading it takes most of a second."""
    monkeypatch.setattr(
        agent_module,
        "Engine",
        lambda settings, folder, data: Engine(settings, folder) if settings.min_face_px > 60 else engine,
    )
    enroll(NAME, "obama.jpg", "obama2.jpg")
    made: list[House] = []

    def build(**settings: Any) -> House:
        made.append(House(gallery, **settings))
        return made[-1]

    yield build
    for house in made:
        house.agent.close()


@pytest.fixture
def house(make: Callable[..., House]) -> House:
    return make()


def test_an_enrolled_man_is_recognized_on_a_photo_he_was_not_enrolled_from(house: House, scene: Scene) -> None:
    stamp = house.show(scene(MAN))
    (identity,) = house.identities
    (face,) = identity["faces"]
    assert (identity["camera"], identity["captured_at"], identity["seq"]) == ("front", stamp.captured_at, stamp.seq)
    assert identity["id"] == f"front-{stamp.captured_at:.3f}-{stamp.seq}"
    assert face["person"] == NAME
    assert 0.2 < face["distance"] < 0.33
    assert face["margin"] is None
    assert face["box"]["width"] > 80
    assert house.persons == ["none", NAME]
    assert house.snapshots == 1


def test_a_stranger_is_unknown(house: House, scene: Scene) -> None:
    house.show(scene(STRANGER))
    (face,) = house.identities[0]["faces"]
    assert face["person"] is None
    assert face["distance"] > 0.5
    assert house.persons == ["none", "unknown"]


def test_an_empty_hallway_is_told_too_so_that_a_visit_can_end(house: House, scene: Scene) -> None:
    house.show(scene(MAN))
    house.show(scene())
    assert house.identities[1]["faces"] == []
    assert house.persons == ["none", NAME, "none"]
    assert house.snapshots == 1


def test_of_two_people_each_gets_a_face_and_the_known_one_the_word(house: House, scene: Scene) -> None:
    house.show(scene(MAN, WOMAN))
    assert sorted(str(face["person"]) for face in house.identities[0]["faces"]) == [NAME, "None"]
    assert house.persons == ["none", NAME]


def test_with_two_people_enrolled_the_margin_is_told(
    make: Callable[..., House], enroll: Callable[..., None], scene: Scene
) -> None:
    enroll("Eileen Collins", WOMAN)
    house = make()
    house.show(scene(MAN))
    (face,) = house.identities[0]["faces"]
    assert face["person"] == NAME
    assert face["margin"] > 0.3


def test_the_person_is_told_when_it_changes_and_at_every_connect(house: House, scene: Scene) -> None:
    for _ in range(3):
        house.show(scene(MAN))
    assert house.persons == ["none", NAME]
    house.agent.publish_all(house.clock.now())
    assert house.persons == ["none", NAME, NAME]


def test_nobody_is_said_to_stand_before_a_camera_that_went_silent(house: House, scene: Scene) -> None:
    house.show(scene(MAN))
    house.wait(GONE_AFTER_S - 0.1)
    assert house.persons[-1] == NAME
    house.wait(GONE_AFTER_S + 0.1)
    assert house.persons == ["none", NAME, "none"]


def test_the_snapshot_shows_the_face_boxed_once_a_second_at_most(house: House, scene: Scene) -> None:
    for s in (0.0, 0.4, 0.9, 1.1):
        house.wait(s)
        house.show(scene(MAN))
    assert house.snapshots == 2
    picture = next(said.payload for said in house.session.said if said.topic is SNAPSHOT)
    after_, before = (cv2.imdecode(np.frombuffer(b, np.uint8), cv2.IMREAD_COLOR) for b in (picture, scene(MAN)))
    assert after_ is not None
    assert before is not None
    box = house.identities[0]["faces"][0]["box"]
    changed = np.abs(after_.astype(int) - before).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert abs(columns.min() - box["left"]) <= 4
    assert abs(rows.max() - (box["top"] + box["height"])) <= 4


def test_snapshots_can_be_switched_off(make: Callable[..., House], scene: Scene) -> None:
    house = make(snapshot=False)
    house.show(scene(MAN))
    assert house.snapshots == 0
    assert house.persons[-1] == NAME


def test_small_faces_are_not_looked_at(make: Callable[..., House], scene: Scene) -> None:
    house = make(min_face_px=400)
    house.show(scene(MAN))
    assert house.identities[0]["faces"] == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _: b"", "is empty"),
        (lambda _: b'{"not": "a picture"}', "is not a JPEG"),
        (lambda frame: frame[: len(frame) // 2], "JPEG is cut off"),
        (lambda _: claiming(30_000, 30_000), "picture of 30000×30000 pixels"),
        (lambda frame: frame + bytes(MAX_FRAME_BYTES), "at most 2000000 are read"),
        (lambda _: claiming(64, 64), "can't be decoded"),
    ],
    ids=["empty", "text", "truncated", "decompression bomb", "too large", "a header only"],
)
def test_a_bad_frame_is_counted_and_the_next_good_one_recognized(
    damage: Callable[[bytes], bytes], said: str, house: House, scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    house.show(damage(scene(MAN)))
    assert house.identities == []
    assert house.report.counters["bad_frames"] == 1
    (warning,) = caplog.messages
    assert warning.startswith("camera/front/frame: refused: ")
    assert said in warning
    house.show(scene(MAN))
    assert house.persons[-1] == NAME


@pytest.mark.parametrize(
    "properties",
    [
        (("captured_at", "yesterday"), ("seq", "1")),
        (("captured_at", str(T0)),),
        (("captured_at", "nan"), ("seq", "1")),
        (("captured_at", str(T0 * 1000)), ("seq", "1")),
        (("captured_at", str(T0)), ("seq", "-1")),
    ],
    ids=["no time", "no seq", "not a number", "milliseconds", "negative"],
)
def test_a_frame_with_a_senseless_stamp_is_not_taken_for_one_without(
    properties: tuple[tuple[str, str], ...], house: House, scene: Scene
) -> None:
    house.arrive(scene(MAN), properties)
    assert house.identities == []
    assert house.report.counters["bad_frames"] == 1


def test_a_retained_frame_is_refused(house: House, scene: Scene) -> None:
    house.show(scene(MAN), retain=True)
    assert house.identities == []
    assert house.report.counters["bad_frames"] == 1


def test_bad_frames_are_warned_about_once_a_minute(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for s in (0, 1, WARN_EVERY_S - 1, WARN_EVERY_S + 1):
        house.wait(s)
        house.show(b"junk %d" % s)
    assert house.report.counters["bad_frames"] == 4
    assert caplog.messages == ["camera/front/frame: refused: is not a JPEG"] * 2


@pytest.mark.parametrize("age_s", [2.1, -1.1], ids=["old", "from the future"])
def test_stale_frames_are_not_looked_at_and_become_a_problem(house: House, scene: Scene, age_s: float) -> None:
    for s in range(7):
        house.wait(s)
        house.show(scene(MAN), age_s)
    assert house.identities == []
    assert house.report.counters["stale_frames"] == 7
    assert "frames of camera front are" in (house.report.problem or "")
    house.show(scene(MAN))
    assert house.report.problem is None
    assert house.persons[-1] == NAME


def test_frames_without_a_stamp_are_stamped_on_arrival(house: House, scene: Scene) -> None:
    house.arrive(scene(MAN))
    house.wait(0.5)
    house.arrive(scene(STRANGER))
    assert [(i["captured_at"], i["seq"]) for i in house.identities] == [(T0, 0), (T0 + 0.5, 1)]


@pytest.mark.parametrize("stamped", [True, False])
def test_a_frozen_picture_is_never_new_evidence(house: House, scene: Scene, stamped: bool) -> None:
    for s in (0, 1, 1.9, 2.1, 30):
        house.wait(s)
        properties = Stamp(T0 + s, round(s * 10)).properties() if stamped else ()
        house.arrive(scene(MAN), properties)
    assert [identity["id"] for identity in house.identities] == [f"front-{T0:.3f}-0"]
    assert house.report.counters["repeated_frames"] == 4


def test_who_is_enrolled_or_removed_counts_from_the_very_next_frame(
    house: House, gallery: Path, enroll: Callable[..., None], scene: Scene
) -> None:
    house.show(scene(STRANGER))
    enroll("Joe Biden", "biden.jpg")
    house.show(scene(STRANGER))
    with Gallery(gallery) as opened:
        opened.remove("Joe Biden")
    house.show(scene(STRANGER))
    assert house.persons == ["none", "unknown", "Joe Biden", "unknown"]
    assert house.report.counters["people"] == 1


def test_without_a_good_gallery_it_lives_on_with_nobody_known_and_says_why(
    house: House, gallery: Path, scene: Scene
) -> None:
    good = gallery.read_bytes()
    gallery.write_bytes(b"damaged" * 1000)
    house.show(scene(MAN))
    assert house.persons[-1] == "unknown"
    assert house.identities[0]["faces"][0]["distance"] is None
    assert (house.report.problem or "").startswith(f"{gallery}: is no SQLite file")
    gallery.write_bytes(good)
    house.wait(1.5)
    house.show(scene(MAN))
    assert house.persons[-1] == NAME
    assert house.report.problem is None


def test_it_counts_what_it_did(house: House, scene: Scene) -> None:
    house.show(scene(MAN, WOMAN), age_s=0.5)
    house.show(scene())
    report = house.report
    assert report.counters == {
        "frames": 2,
        "faces": 2,
        "bad_frames": 0,
        "stale_frames": 0,
        "repeated_frames": 0,
        "passed_over": 0,
        "waiting": 0,
        "still_frames": 0,
        "people": 1,
    }
    latency = report.latencies.summary() if report.latencies else None
    assert latency is not None
    assert latency.n == 2
    assert latency.p95 <= 500 + 1e-6


def test_a_wrong_model_file_ends_it_at_the_start(gallery: Path) -> None:
    wrong = shipped()["dlib-resnet"].model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ModelError, match=r"dlib_face_recognition_resnet_model_v1\.dat: is another file"):
        House(gallery, models={"dlib-resnet": wrong})


def kept(house: House) -> int:
    file = house.folder / "data" / FILE
    if not file.exists():
        return 0
    with UnknownFile(file) as opened:
        return len(opened.faces())


def test_strangers_are_forgotten_unless_the_house_keeps_them_and_the_enrolled_never_are_among_them(
    make: Callable[..., House], scene: Scene
) -> None:
    forgetful = make()
    forgetful.show(scene(STRANGER))
    assert kept(forgetful) == 0
    keeping = make(keep_unknown=KeepUnknown())
    keeping.show(scene(MAN))
    assert kept(keeping) == 0
    keeping.show(scene(STRANGER))
    assert kept(keeping) == 1
    make()  # as after a restart with the key taken out
    assert kept(keeping) == 0
