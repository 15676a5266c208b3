"""Settings of a camera that can't be right are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agents.camera.config import CameraSettings


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
