"""Is this a whole JPEG of a bearable size? Read from its bytes, before any decoder sees them.

A picture of a few bytes can claim 30,000×30,000 pixels, which a decoder would have to make room
for. Markers and segments are those of ITU-T T.81, annex B.
"""

from __future__ import annotations

import re

from agents.wire.messages import MAX_FRAME_BYTES, BadMessage, Refusal, check_size

__all__ = ["MAX_FRAME_BYTES", "check_frame", "check_jpeg", "check_pixels"]

SOI, EOI, SOS = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF; the others are DHT, JPG and DAC
NO_SEGMENT = frozenset({0x01, *range(0xD0, 0xDB)})  # TEM, RST, SOI, EOI, and SOS: here the header is over
MARKER = re.compile(rb"\xff+([^\x00\xff])")  # any number of FF may come before a marker
MAX_SCANS = 64  # a progressive picture has about ten; each costs a pass over all its pixels


def check_frame(payload: bytes, max_pixels: int) -> tuple[int, int]:
    """Width and height of a frame as it came from the broker. Raises BadMessage."""
    check_size(payload, MAX_FRAME_BYTES)
    return check_jpeg(payload, max_pixels)


def check_jpeg(data: bytes, max_pixels: int) -> tuple[int, int]:
    """Width and height that the header claims. Raises BadMessage."""
    if not data:
        raise _malformed("is empty")
    if not data.startswith(SOI):
        raise _malformed("is not a JPEG")
    at = _size_at(data)
    width, height = _word(data, at + 5), _word(data, at + 3)
    check_pixels(width, height, max_pixels)
    # in the picture's own data FF is followed by 00, so that FF D9 is its end; cameras append what they like
    end = data.find(EOI, at)
    if end < 0:
        raise _malformed("JPEG is cut off: its end is missing")
    if data.count(SOS, at, end) > MAX_SCANS:
        raise BadMessage(Refusal.TOO_LARGE, f"JPEG has more than {MAX_SCANS} scans")
    return width, height


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raises BadMessage for a picture without pixels, or with more than `max_pixels`."""
    if width == 0 or height == 0:
        raise _malformed(f"picture claims {width}×{height} pixels")
    if width * height > max_pixels:
        raise BadMessage(Refusal.TOO_LARGE, f"picture of {width}×{height} pixels, at most {max_pixels} are decoded")


def _size_at(data: bytes) -> int:
    """Where the segment with the size begins, walking there from segment to segment."""
    at = len(SOI)
    while True:
        found = MARKER.match(data, at)
        if found is None:
            raise _malformed("JPEG's header is damaged")
        marker, at = found[1][0], found.end()
        if marker in NO_SEGMENT:
            raise _malformed("JPEG has no size in its header")
        length = _word(data, at)
        if marker in SIZE_MARKERS:
            return at
        if length < 2:
            raise _malformed("JPEG's header is damaged")
        at += length


def _word(data: bytes, at: int) -> int:
    """Two bytes, the high one first."""
    if len(data) < at + 2:
        raise _malformed("JPEG is cut off: its header ends early")
    return int.from_bytes(data[at : at + 2])


def _malformed(text: str) -> BadMessage:
    return BadMessage(Refusal.MALFORMED, text)
