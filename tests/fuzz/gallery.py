"""The gallery's file, damaged: the recognizer knows the people whose encodings are whole, or nobody."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.records import Sample
from agents.recognizer.people.watch import Watch
from tests.fakes import after
from tests.fuzz import contract
from tests.fuzz.reader import Reader
from tests.fuzz.targets import Target

ENCODER = "dlib-resnet-v1/mirrored"
PEOPLE = ("Ana Kovač", "Borut")
MAX_CHANGES = 8
STRANGE = (b"\x00", b"\xff", b"\x7f\xf0", b"\xff\xff\xff\xff", b"unknown", b"\x1b[2J", b"CREATE VIEW", b"\xed\xa0\x80")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="facelatch-fuzz-")


@cache
def _whole() -> bytes:
    path = Path(_folder().name) / "whole.sqlite"
    with Gallery(path, create=True) as gallery:
        for number, person in enumerate(PEOPLE):
            gallery.add(person, Sample(np.full(128, float(number)), ENCODER, str(number)), after(0))
    return path.read_bytes()


def run(data: bytes) -> set[str]:
    reader, content = Reader(data), bytearray(_whole())
    for _ in range(reader.number() % (MAX_CHANGES + 1)):
        at = int.from_bytes(reader.take(2)) % (len(content) or 1)
        if reader.number() == 255:
            del content[at:]
        put = reader.pick(STRANGE) if reader.flag() else reader.take(reader.number() % 8)
        content[at : at + len(put)] = put
    return _poll(bytes(content) if reader.number() != 255 else reader.rest())


def _poll(content: bytes) -> set[str]:
    folder = Path(_folder().name)
    for left in folder.glob("gallery.sqlite*"):
        left.unlink()
    path = folder / "gallery.sqlite"
    path.write_bytes(content)
    watch = Watch(path)
    try:
        enrolled = watch.poll(after(0), ENCODER)
        assert enrolled is not None
        assert len(enrolled.names) == len(enrolled.encodings)
        assert np.isfinite(enrolled.encodings).all()
        assert all(contract.is_person(name) for name in enrolled.names)
        assert (watch.problem is None) or not enrolled.names
        return {"a gallery that can't be read" if watch.problem else f"people enrolled: {len(enrolled.names)}"}
    finally:
        watch.close()


SEEDS = [
    b"\x00",
    b"\x00\xff",
    b"\x00\xffnot a database",
    b"\x00\xff" + b"SQLite format 3\x00",
    b"\x01\x00\x00\xff\x00\x00",
    b"\x01\x90\x08\x00\x01",  # encodings of nobody, by another encoder
]
SEEDS += [b"\x01" + at.to_bytes(2) + b"\x00\x01" + bytes([n]) for at in range(0, 24_576, 512) for n in range(2)]
SEEDS += [b"\x01" + at.to_bytes(2) + b"\x00\x01\x01" for at in (*range(100), *range(3400, 4096, 16))]  # header, schema

TARGET = Target(run, SEEDS)
