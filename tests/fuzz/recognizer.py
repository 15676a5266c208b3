"""The recognizer up to its models: whatever comes as a frame, nothing larger than allowed is decoded."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import numpy.typing as npt

from agents.recognizer import picture
from agents.recognizer.agent import RecognizerAgent
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.core import Seen
from agents.recognizer.liveness.look import Look
from agents.recognizer.matcher import NOBODY_ENROLLED, Matcher
from agents.recognizer.people.unknowns import FILE, Unknowns
from agents.recognizer.rule import Rule
from agents.recognizer.sight import Sight
from agents.recognizer.vision.engine import Engine
from agents.runtime.events import Message
from agents.runtime.inbox import Inbox
from agents.runtime.settings import MqttSettings, Site
from agents.wire.feed import Feed
from agents.wire.identity import Box, Identity
from agents.wire.stamp import Stamp
from agents.wire.topics import FRAME, IDENTITY, PERSON, SNAPSHOT
from tests.fakes import FakeClock, FakeSession, after
from tests.fuzz.reader import Reader, blob, read_log
from tests.fuzz.targets import Target
from tests.recognizer.jpegs import EOI, SOI, claiming, jpeg, segment, size_segment, turned, with_segment

MAX_PIXELS, MAX_AGE_S, FUTURE_S = 10_000, 2.0, 1.0
MAX_FRAMES = 4
SIZED = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
AGES_S = (0.0, 0.5, 2.0, 2.01, -1.0, -1.01, 1e6, -1e6)
VALUES = (
    *("NaN", "inf", "-inf", "1e400", "1e10", "1800000000", "1800000000.5", "١٨٠٠٠٠٠٠٠٠", "1_8", "-1", "", " ", "0x10"),
    *(
        "1800000000000",
        "9007199254740992",
        "9007199254740991",
        "9" * 5000,
        "\x00",
        "0\x00",
        "true",
        "1.0",
        "+1",
        "\ud800",
    ),
)
KEYS = ("captured_at", "seq", "Captured_At", "", "captured_at ", "x" * 70_000)
OPTIONS = ((), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1), (cv2.IMWRITE_JPEG_QUALITY, 5))


def _bases() -> tuple[bytes, ...]:
    """Whole JPEGs, and headers of JPEGs that claim what they do not have."""
    small = jpeg(16, 8)
    return (
        *(small, *(jpeg(24, 16, *options) for options in OPTIONS), turned(jpeg(24, 16), 6), turned(small, 8)),
        *(jpeg(100, 100), jpeg(101, 100), with_segment(small, 0xE1, jpeg(200, 100)), b"", SOI, EOI, SOI + EOI),
        *(claiming(w, h) for w, h in ((60_000, 60_000), (65_535, 65_535), (0, 9), (9, 0), (100, 100), (10_001, 1))),
        *(SOI + size_segment(8, 8) + small[2:], SOI + size_segment(8, 8) + claiming(300, 300)[2:]),
        *(SOI + segment(0xFE, b"\xff\xc0") + small[2:], SOI + b"\xff" * 1000 + small[2:], small + jpeg(150, 150)),
        *(SOI + struct.pack(">BBH", 0xFF, 0xE0, length) + small[2:] for length in (0, 1, 2, 65_535)),
        *(SOI + segment(marker) + small[2:] for marker in (0xC4, 0xC8, 0xCC, 0xD8, 0xD9, 0xDA, 0x01)),
        *(with_segment(jpeg(101, 100), marker, b"\x00\x00\x08\x00\x08" * 8) for marker in (0xC4, 0xC8, 0xCC)),
    )


BASES = _bases()


NOWHERE = Site(MqttSettings(), Path("/nonexistent"), Path("/nonexistent/data"))


class Eyes(Engine):
    """In place of the models: one face, as large as the picture."""

    def __init__(self) -> None:
        self.encoder = "eyes"
        self.looked_at: list[npt.NDArray[np.uint8]] = []

    def look(self, image: npt.NDArray[np.uint8], regions: Sequence[Box] | None = None) -> list[Seen]:
        self.looked_at.append(image)
        height, width = image.shape[:2]
        box = Box(left=0, top=0, width=width, height=height)
        return [Seen(box, box, np.zeros(128), 1.0)]

    def examine(
        self, image: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8] | None, face: Seen, at_s: float
    ) -> Look:
        return Look(at_s)


class House:
    def __init__(self, clock: FakeClock) -> None:
        self.session, self.clock, self.eyes = FakeSession(), clock, Eyes()
        settings = RecognizerSettings(max_pixels=MAX_PIXELS)
        self.agent = RecognizerAgent(settings, [Feed("front")], ["front"], NOWHERE, self.session, Inbox(), clock)
        self.agent._sight = Sight(self.eyes, Matcher(NOBODY_ENROLLED, Rule()), MAX_PIXELS)
        self.agent._unknowns = Unknowns(NOWHERE.data / FILE, None, "eyes", clock.now())
        self.agent.log = read_log()
        self.seen: set[str] = set()
        self.before = b""

    def show(self, frame: bytes, properties: tuple[tuple[str, str], ...], retain: bool) -> None:
        now = self.clock.now()
        self.session.said.clear()
        self.eyes.looked_at.clear()
        with mock.patch.object(picture, "_decoded", self.decode):
            self.agent.on_event(Message(FRAME, ("front",), frame, retain, properties, now.utc), now)
        self.agent.on_tick(now)
        assert {said.topic for said in self.session.said} <= {IDENTITY, PERSON, SNAPSHOT}
        identities = [Identity.decode(said.payload) for said in self.session.said if said.topic is IDENTITY]
        # a still scene without faces is not looked at again
        assert len(self.eyes.looked_at) <= len(identities) <= 1
        assert self.eyes.looked_at or not any(identity.faces for identity in identities)
        for identity in identities:
            assert not retain
            assert frame != self.before
            self.judge(identity, read_stamp(properties))
        self.before = frame if identities else b""

    def judge(self, identity: Identity, stamp: Stamp | None) -> None:
        """Whether a frame of this age, and with this stamp, may have been looked at."""
        utc = self.clock.now().utc
        assert identity.captured_at == (utc if stamp is None else stamp.captured_at)
        assert -FUTURE_S <= utc - identity.captured_at <= MAX_AGE_S
        self.seen.add("looked at a picture")

    def decode(self, data: bytes, flags: int) -> npt.NDArray[np.uint8]:
        claimed = claim(data)
        assert claimed <= MAX_PIXELS, f"to be decoded: {claimed} pixels"
        self.seen.add("decoded a picture")
        image = decode_for_real(data, flags)
        if flags == cv2.IMREAD_COLOR:  # others are made smaller
            assert image.shape[0] * image.shape[1] == claimed, "the decoder found another size than its header says"
        return image


decode_for_real = picture._decoded


def claim(data: bytes) -> int:
    """Pixels that a JPEG's header claims: segment for segment up to the first with a size (ITU-T T.81, annex B)."""
    at = 2
    while True:
        assert data[at] == 0xFF, "a damaged header was let through"
        at += 1
        if data[at] == 0xFF:
            continue
        marker, length = data[at], int.from_bytes(data[at + 1 : at + 3])
        if marker in SIZED:
            return int.from_bytes(data[at + 4 : at + 6]) * int.from_bytes(data[at + 6 : at + 8])
        at += 1 + length


def read_stamp(properties: tuple[tuple[str, str], ...]) -> Stamp | None:
    """Raises BadMessage."""
    stamp = Stamp.of(properties)
    if stamp is not None:
        assert 0 <= stamp.captured_at < 1e11
        assert 0 <= stamp.seq < 2**53
    return stamp


class Story:
    """Bytes as a few frames, one after another."""

    def __init__(self, data: bytes) -> None:
        self.reader, self.clock = Reader(data), FakeClock()
        self.house, self.frame = House(self.clock), b""

    def run(self) -> set[str]:
        for number in range(MAX_FRAMES):
            if not self.reader.more:
                break
            self.clock.at = after(number * 1.5)
            retain = self.reader.number() == 1
            properties = self.properties(number)
            self.frame = self.picture()
            self.house.show(self.frame, properties, retain)
        return self.house.seen | {word for word, count in self.house.agent.report().counters.items() if count}

    def properties(self, number: int) -> tuple[tuple[str, str], ...]:
        kind = self.reader.number() % 4
        if kind == 0:
            return ()
        good = Stamp(self.clock.at.utc - self.reader.pick(AGES_S), number).properties()
        if kind == 1:
            return good
        odd = tuple((self.reader.pick(KEYS), self.reader.pick(VALUES)) for _ in range(self.reader.number() % 4))
        return good + odd if kind == 2 else odd

    def picture(self) -> bytes:
        if self.reader.number() == 0:
            return self.reader.blob()
        frame = self.reader.pick((*BASES, self.frame))
        for _ in range(self.reader.number() % 4):
            at = int.from_bytes(self.reader.take(2)) * len(frame) // 65_536
            cut, put = self.reader.number() % 4, self.reader.take(self.reader.number() % 8)
            frame = frame[:at] + put + frame[at + cut :]
        return frame


def run(data: bytes) -> set[str]:
    return Story(data).run()


def shown(frame: bytes, how: bytes = b"\x00\x00") -> bytes:
    return how + b"\x00" + blob(frame)


LIVE, RETAINED, STAMPED = b"\x00\x00", b"\x01\x00", b"\x00\x01\x00"
GOOD = jpeg(24, 16)
SEEDS = [shown(base, how) for base in BASES for how in (LIVE, RETAINED)]
SEEDS += [shown(GOOD[:size]) for size in range(len(GOOD))]
SEEDS += [shown(GOOD, b"\x00\x01" + bytes([age])) for age in range(len(AGES_S))]
SEEDS += [
    shown(GOOD, b"\x00\x03\x02" + bytes([0, at]) + bytes([1, other])) for at in range(len(VALUES)) for other in (0, at)
]
SEEDS += [shown(GOOD) * 2, shown(GOOD, STAMPED) + shown(GOOD, STAMPED) + shown(GOOD + b"\x00", STAMPED)]

TARGET = Target(run, SEEDS)
