"""JPEGs to order, byte by byte where need be."""

from __future__ import annotations

import struct

import cv2
import numpy as np

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def jpeg(width: int = 64, height: int = 48, *options: int, seed: int = 0) -> bytes:
    """A whole JPEG of coloured noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    done, data = cv2.imencode(".jpg", noise, options)
    assert done
    return data.tobytes()


def segment(marker: int, content: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def size_segment(width: int, height: int, marker: int = 0xC0) -> bytes:
    """A SOF segment for one colour."""
    return segment(marker, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")


def claiming(width: int, height: int) -> bytes:
    """A few bytes that look like a JPEG of this size."""
    return SOI + size_segment(width, height) + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x00" + EOI


def with_segment(picture: bytes, marker: int, content: bytes) -> bytes:
    """The picture with one more segment at its beginning."""
    return SOI + segment(marker, content) + picture[2:]


def turned(picture: bytes, orientation: int) -> bytes:
    """The picture with an EXIF note of how the camera was held: 6 says a quarter turn clockwise is due."""
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\x00" + struct.pack("<IH", 8, 1) + tag + struct.pack("<I", 0)
    return with_segment(picture, 0xE1, b"Exif\x00\x00" + tiff)
