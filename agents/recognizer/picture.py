"""Pictures through OpenCV: reading, scaling, drawing."""

from __future__ import annotations

import unicodedata

import cv2
import numpy as np
import numpy.typing as npt

from agents.recognizer.jpeg import check_frame
from agents.sight.motion import ROWS, Cells
from agents.wire.identity import Box, Face, Identity
from agents.wire.messages import BadMessage, Refusal

Pixels = npt.NDArray[np.uint8]

SNAPSHOT_MAX_PX = 1280  # longest side
SNAPSHOT_QUALITY = 80
CROP_MAX_PX = 400  # longest side
CROP_QUALITY = 95
CROP_MARGIN = 0.5  # of the box's size, on each side
KNOWN_COLOUR, UNKNOWN_COLOUR, TEXT_COLOUR = (40, 140, 40), (30, 30, 200), (255, 255, 255)  # BGR
FONT = cv2.FONT_HERSHEY_SIMPLEX
# letters that Unicode does not take apart into a plain one and an accent
PLAIN = str.maketrans({"đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "Æ": "AE"})


def decode_frame(payload: bytes, max_pixels: int) -> Pixels:
    """A frame's JPEG as RGB, shape (height, width, 3). Raises BadMessage."""
    check_frame(payload, max_pixels)
    return decode(payload, cv2.IMREAD_COLOR)


def cells(payload: bytes, max_pixels: int) -> Cells:
    """A frame's JPEG in cells of grey, as agents.sight compares them. Raises BadMessage.

    The decoder makes it eight times smaller on its way: each pixel is the mean of one of the 8×8
    blocks that a JPEG is made of, for a third of what decoding it whole costs.
    """
    check_frame(payload, max_pixels)
    grey = _decoded(payload, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    rows, columns = grey.shape
    if rows > 1.5 * ROWS:
        size = max(1, round(columns * ROWS / rows)), ROWS
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    return grey.astype(np.float32)


def decode(data: bytes, flags: int) -> Pixels:
    """A picture whose header was checked, upright and as RGB. Raises BadMessage."""
    return _rgb(_decoded(data, flags))


def fit(image: Pixels, max_px: int) -> Pixels:
    """The picture, made smaller if its longest side has more than `max_px` pixels."""
    scale = max_px / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def snapshot(image: Pixels, identity: Identity) -> bytes:
    """The RGB picture as a JPEG, with every face's box, name and distance drawn in."""
    canvas = np.ascontiguousarray(fit(image, SNAPSHOT_MAX_PX)[..., ::-1])
    scale = canvas.shape[1] / image.shape[1]
    for face in identity.faces:
        _draw(canvas, face, scale)
    done, data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, SNAPSHOT_QUALITY])
    assert done
    return data.tobytes()


def label(face: Face) -> str:
    """What is written beside a face: its name in letters that OpenCV's fonts have, and its distance."""
    name = plain(face.person or "unknown") + (" (picture)" if face.is_spoof else "")
    return name if face.distance is None else f"{name} {face.distance:.2f}"


def plain(text: str) -> str:
    """The text in letters that OpenCV's fonts have."""
    letters = unicodedata.normalize("NFKD", text.translate(PLAIN))
    return "".join(c for c in letters if not unicodedata.combining(c)).encode("ascii", "replace").decode()


def face_crop(image: Pixels, box: Box) -> bytes:
    """A JPEG of the face in `box` of an RGB picture, with so much around it that it can be found again."""
    height, width = image.shape[:2]
    x, y = round(box.width * CROP_MARGIN), round(box.height * CROP_MARGIN)
    left, top = min(max(box.left - x, 0), width - 1), min(max(box.top - y, 0), height - 1)
    right, bottom = max(box.left + box.width + x, left + 1), max(box.top + box.height + y, top + 1)
    crop = fit(image[top:bottom, left:right], CROP_MAX_PX)
    done, data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, CROP_QUALITY])
    assert done
    return data.tobytes()


def _draw(canvas: Pixels, face: Face, scale: float) -> None:
    height, width = canvas.shape[:2]
    colour = UNKNOWN_COLOUR if face.person is None or face.is_spoof else KNOWN_COLOUR
    left, top = round(face.box.left * scale), round(face.box.top * scale)
    right, bottom = left + round(face.box.width * scale), top + round(face.box.height * scale)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, 2)
    size = max(0.45, width / 1200)
    (text_width, text_height), below = cv2.getTextSize(label(face), FONT, size, 1)
    x = max(0, min(left, width - text_width - 4))
    y = max(text_height + 4, min(top - 4, height - below))
    cv2.rectangle(canvas, (x, y - text_height - 4), (x + text_width + 4, y + below), colour, cv2.FILLED)
    cv2.putText(canvas, label(face), (x + 2, y), FONT, size, TEXT_COLOUR, 1, cv2.LINE_AA)


def _decoded(data: bytes, flags: int) -> Pixels:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BadMessage(Refusal.MALFORMED, f"picture can't be decoded: {error.err}") from None
    if pixels is None:
        raise BadMessage(Refusal.MALFORMED, "picture can't be decoded")
    return np.asarray(pixels, np.uint8)


def _rgb(bgr: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)  # numpy's way takes eight times as long
