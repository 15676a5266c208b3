"""Settings of a camera that can't be right are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.camera.config import MAX_TOPIC_CHARS, CameraSettings, conflicts
from agents.wire.feed import Feed


@pytest.mark.parametrize("crop", [{"left": 0.5, "right": 0.5}, {"top": 0.9, "bottom": 0.2}])
def test_a_crop_that_leaves_nothing_is_refused(crop: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="cut off the whole picture"):
        CameraSettings.model_validate({"source": 0, "crop": crop})


@pytest.mark.parametrize("idle_fps", [0, 0.4, -1, 61])
def test_a_camera_that_rests_still_shows_that_it_lives(idle_fps: float) -> None:
    with pytest.raises(ValidationError, match="idle_fps"):
        CameraSettings.model_validate({"source": 0, "idle_fps": idle_fps})


@pytest.mark.parametrize("source", ["", -1, 1.5, None])
def test_a_source_that_is_none_is_refused(source: object) -> None:
    with pytest.raises(ValidationError):
        CameraSettings.model_validate({"source": source})


@pytest.mark.parametrize("source", ["rtsp://admin:hunter2@10.0.0.7/stream", "http://:pw@camera/"])
def test_a_password_belongs_in_a_file(source: str) -> None:
    with pytest.raises(ValidationError, match="secret:FILE"):
        CameraSettings.model_validate({"source": source})


@pytest.mark.parametrize("source", ["rtsp://camera:554/stream", "http://ana@camera/", "secret:front-camera", "a:b@c"])
def test_an_address_without_a_password_may_stand_in_the_houses_file(source: str) -> None:
    assert CameraSettings.model_validate({"source": source}).source == source


@pytest.mark.parametrize(
    ("source", "feed"),
    [
        (0, Feed("yard")),
        ("rtsp://camera/stream", Feed("yard")),
        ("mqtt.mp4", Feed("yard")),
        ("mqtt", Feed("yard", ours=False)),
        ("mqtt:frigate/yard/person/snapshot", Feed("yard", False, "frigate/yard/person/snapshot")),
        ("mqtt:Kamera/Hof:2/Bild", Feed("yard", False, "Kamera/Hof:2/Bild")),
        ("mqtt:" + "x" * MAX_TOPIC_CHARS, Feed("yard", False, "x" * MAX_TOPIC_CHARS)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_source_says_who_makes_the_frames_and_on_which_topic(source: object, feed: Feed) -> None:
    settings = CameraSettings.model_validate({"source": source})
    assert settings.feed("yard") == feed
    assert settings.ours is feed.ours


@pytest.mark.parametrize(
    ("source", "why"),
    [
        *(
            (f"mqtt:{topic}", "one topic")
            for topic in ("", "$SYS/x", "a/+", "#", "a/#/b", "a b", " a", "a\nuser x", "\0")
        ),
        *((f"mqtt:{topic}", "one topic") for topic in ("a\u2028b", "a\u00a0b", "a\tb")),
        ("mqtt://broker:1883/topic", "not the address of another"),
        ("mqtt:" + "x" * (MAX_TOPIC_CHARS + 1), "201 characters, at most 200"),
    ],
    ids=ascii,
)
def test_a_topic_that_is_none_or_several_is_refused(source: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        CameraSettings.model_validate({"source": source})


def test_a_setting_of_an_agent_that_there_is_not_is_named_even_where_it_is_the_default() -> None:
    given = {"source": "mqtt", "rate_fps": 10.0, "crop": {}}
    assert CameraSettings.model_validate(given).idle_keys == ["crop", "rate_fps"]
    assert CameraSettings.model_validate(given | {"source": 0}).idle_keys == []
    assert CameraSettings.model_validate({"source": "mqtt"}).idle_keys == []


def cameras(**sources: str) -> dict[str, CameraSettings]:
    return {name: CameraSettings.model_validate({"source": source}) for name, source in sources.items()}


@pytest.mark.parametrize("topic", ["facelatch", "facelatch/camera/yard/frame", "homeassistant/camera/x/config"])
def test_a_topic_of_the_house_or_of_home_assistant_is_nobody_elses(topic: str) -> None:
    ((place, why),) = conflicts(cameras(yard=f"mqtt:{topic}"), "facelatch", "homeassistant")
    assert place == ("yard", "source")
    assert topic.partition("/")[0] in why


@pytest.mark.parametrize("topic", ["facelatch2/frame", "house/facelatch/x", "homeassistant-cam"])
def test_a_topic_beside_them_may_be_anybodys(topic: str) -> None:
    assert list(conflicts(cameras(yard=f"mqtt:{topic}"), "facelatch", "homeassistant")) == []


def test_two_cameras_of_one_topic_are_both_named_and_two_of_the_houses_own_are_two() -> None:
    found = list(conflicts(cameras(a="mqtt:x/y", b="mqtt", c="mqtt:x/y", d="mqtt", e="0.mp4"), "facelatch"))
    assert [place for place, _ in found] == [("a", "source"), ("c", "source")]
    assert "camera 'c'" in found[0][1]
    assert "camera 'a'" in found[1][1]


PAGE = (Path(__file__).parents[2] / "docs/cameras.md").read_text(encoding="utf-8")


def test_the_sources_that_the_page_prints_are_sources() -> None:
    printed = [
        *re.findall(r"`((?:rtsp|http|mqtt|secret)s?:[^`]+)`(?! for)", PAGE),
        *(re.findall(r"source: \"?(mqtt[^ \"]*)\"? }", PAGE)),
    ]
    assert len(printed) > 8
    for source in printed:
        assert CameraSettings.model_validate({"source": source}).source == source
