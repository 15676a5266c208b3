"""Whatever a scheduler hears, it grants only to somebody who was seen to be there, and may come in."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.junk import FRAGMENTS, RAW, obj, text
from tests.fuzz.reader import blob
from tests.fuzz.scheduler_story import (
    AGES_S,
    CAMERAS,
    COUNTS,
    DAY_S,
    DOORS,
    HOUR_S,
    JUMPS_S,
    ORDERS,
    PEOPLE,
    STEPS,
    STEPS_S,
    TRACKS,
    Story,
)
from tests.fuzz.targets import Target


def run(data: bytes) -> set[str]:
    return Story(data).run()


# The steps of a story as the bytes that tell it

START, ALONE = b"\x00", b"\x01"


def step(kind: Callable[[Story], None], *choices: int) -> bytes:
    return bytes([STEPS.index(kind), *choices])


def see(
    *people: str | None, camera: str = "porch", age_s: float = 0.0, track: int | None = None, turn: bool = True
) -> bytes:
    """The camera's next frame, with these people in it; with or without a turn of the agent before."""
    faces = [(PEOPLE.index(person), TRACKS.index(track)) for person in people]
    choices = [AGES_S.index(age_s), COUNTS.index(len(people)), *(n for face in faces for n in face), 0, 0, 4, 0]
    before = b"" if turn else stall(0.125)
    return before + step(Story.frame if turn else Story.identity, CAMERAS.index(camera), 0, 4, *choices)


def wait(s: float) -> bytes:
    return step(Story.wait, STEPS_S.index(s))


def stall(s: float) -> bytes:
    return step(Story.stall, STEPS_S.index(s))


def clock(jump_s: float, is_set: bool = True) -> bytes:
    return step(Story.clock, JUMPS_S.index(jump_s), 0 if is_set else 1)


def told(kind: Callable[[Story], None], content: bytes, retain: bool = False) -> bytes:
    """The step in which exactly this payload arrives, at the porch or the front door."""
    return step(kind, 0, int(retain)) + RAW + blob(content)


def order(topic: str, content: str, retain: bool = False) -> bytes:
    """One of people's orders, to the scheduler or the front door."""
    at = next(n for n, (found, _) in enumerate(ORDERS) if topic in found.path)
    return step(Story.order, at, int(retain)) + RAW + blob(content.encode())


def answer(content: str, door: str = "front", retain: bool = False) -> bytes:
    return step(Story.answer, DOORS.index(door), int(retain)) + RAW + blob(content.encode())


def whole(number: int, **other: bytes) -> bytes:
    """An identity of Ana as the `number`th frame of those that `told` tells."""
    face = obj(
        [
            ("person", other.get("person", b'"Ana"')),
            ("distance", other.get("distance", b"0.3")),
            ("margin", b"0.1"),
            ("box", other.get("box", obj([(side, b"100") for side in ("left", "top", "width", "height")]))),
            ("sharpness", other.get("sharpness", b"9.0")),
            ("track", other.get("track", b"null")),
        ]
    )
    return obj(
        [
            ("id", other.get("id", b'"porch-1"')),
            ("camera", other.get("camera", b'"porch"')),
            ("captured_at", other.get("captured_at", text(1_800_000_000 + number / 8))),
            ("seq", other.get("seq", text(number))),
            ("faces", other.get("faces", b"[" + face + b"]")),
        ]
    )


def pair(**other: bytes) -> bytes:
    """Two frames that agree, but for what is `other` in both."""
    return told(Story.frame, whole(1, **other)) + told(Story.frame, whole(2, **other))


# Seeds

ANA, STRANGER, STAYS = see("Ana") * 2, see(None) * 2, wait(1.0) + see("Ana")
EVENING, NIGHT, MORNING_AFTER = clock(12 * HOUR_S), clock(14 * HOUR_S), clock(16.5 * HOUR_S)
LOST, BROKEN, FOUND, DISK = step(Story.broker, 1), step(Story.broker, 0), step(Story.broker), step(Story.disk)
AWAY, BACK, PETRA = order("away", "ON"), order("away", "OFF"), order("let_in", "Petra until 22:00")
BY_THE_PORCH = '{"answer":"YES","id":"porch-2"}'

FRAMES = (
    *(pair(), pair() * 2, told(Story.frame, whole(1)) * 3, told(Story.identity, whole(0)) * 2, ANA, ANA * 3),
    *(
        see("Ana") + see(None),
        STRANGER,
        STRANGER * 2,
        see("Ana", camera="yard") * 2,
        see("Ana") + wait(6.0) + see("Ana"),
    ),
    *(told(Story.frame, whole(1), True) + told(Story.frame, whole(2), True), see("Ana", camera="hall") * 3),
    *(see("Ana") + see("Borut") + see("Ana"), see("Ana", "Borut") * 2, see("Ana", "Ana") * 2, see() + ANA, see() * 3),
    *(
        see("Ana", track=1) + see("Ana", track=2),
        see("Ana", track=1) * 2,
        see(None, track=1) * 2 + see("Ana", track=1) * 2,
    ),
    *(see("Ana", track=1) * 2 + see(None, track=1) * 4, see("Ana", track=1) * 2 + see("Borut", track=1) * 2),
    *(see("Ana", "Borut", None) * 3, see("Ana", camera="hall") + see("Ana") + see("Ana", camera="hall")),
    ANA + see("Ana", camera="hall") * 2,
    see("Ana", track=1) * 2 + (wait(1.0) + see(None, track=1)) * 3 + see("Ana", track=1) * 2,
    see("Ana", track=1) * 2 + see("Borut", track=1) + (wait(1.0) + see(None, track=1)) * 3 + see("Ana", track=2) * 2,
    told(Story.frame, whole(2)) + told(Story.frame, whole(1)),
    *((see("Ana") + see("Ana", camera="hall")) * 3, ANA + wait(2.5) + ANA, see("Ana") + wait(1.0) + see("Ana")),
)
TIMES = (
    told(Story.frame, whole(2)) + see("Ana", age_s=-1e6) + told(Story.frame, whole(2)),
    see("Ana", track=1, age_s=2.0)
    + wait(1.0)
    + wait(0.5)
    + see(None, track=1)
    + wait(1.0)
    + wait(0.5)
    + see("Ana", track=1),
    see("Ana", age_s=3.0) * 2 + see("Ana"),
    told(Story.identity, whole(0)) + clock(-1e6) + told(Story.identity, whole(0)) * 3,
    *(
        clock(jump) + see(person, camera=camera) * 3
        for jump in JUMPS_S
        for person, camera in (("Ana", "porch"), ("Vid", "yard"))
    ),
    *(clock(jump) + see("Petra") * 2 for jump in JUMPS_S[4:13]),
    *(clock(jump) + see("Karlo") * 2 for jump in (0.0, 4 * DAY_S, 5 * DAY_S)),
    *(NIGHT + see("Ana"), MORNING_AFTER + see("Petra"), MORNING_AFTER + see("Borut") * 2, see("Ana", age_s=3.0) * 3),
    *(see("Ana", age_s=age_s) * 3 for age_s in AGES_S[4:]),
    *(clock(0.0, is_set=False) + frames for frames in (ANA, see("Ana", age_s=11.0) * 2, PETRA + see("Petra") * 2)),
    *(ANA + clock(-1e6) + ANA, ANA + clock(-1.5) + ANA * 2, clock(60.0) + ANA + clock(0.0) + ANA),
)
LEFT, ELSEWHERE, BORUT = STRANGER + wait(2.5), see(None, camera="hall") * 2 + wait(2.5), see("Borut") * 2
LOCKED_OUT = (
    *(LEFT * 2 + ANA + wait(6.0) + ANA, LEFT + ANA + wait(2.5) + LEFT + BORUT, LEFT * 2 + wait(2.5) + LEFT + BORUT),
    *(LEFT * 2 + wait(2.5) + LEFT * 2 + wait(2.5) * n + ANA for n in (1, 2, 3)),
    LEFT * 2 + wait(11.0) + LEFT * 2 + wait(6.0) + BORUT,
    *(ELSEWHERE + ANA + wait(2.5) + ELSEWHERE + see("Borut", camera="hall") * 2, LEFT * 3 + wait(2.5) + LEFT + BORUT),
)
DENIED = (
    *(see("Vid") * 2, see("Lucija") * 2, see("Petra") * 2, see("Ana", None) * 3 + wait(1.0) + see("Ana", None)),
    *(
        see("Ana", "Borut", camera="yard") * 2 + wait(1.0) + see("Ana", "Borut", camera="yard"),
        ANA + wait(2.5) + ANA * 2,
        ANA + STAYS * 8,
        ANA + wait(2.5) + ANA + STAYS * 7,
    ),
    *(see("Ana") + wait(0.5) + see(None, track=1) * 2, see("Ana") + see("Borut") + see("Ana", None)),
    see("Ana", track=1) + see("Ana", track=2) + see("Ana", track=1),
    ANA + see("Borut") * 2 + see("Cene") * 2 + wait(61.0) + see("Cene") * 2,
)
SWITCHES = (
    *(see("Ana") + switch + see("Ana", turn=False) for switch in (order("enabled", "OFF"), AWAY, PETRA)),
    *(order("enabled", word) + ANA for word in ("OFF", '{"state":"OFF","source":"Ana, phone"}', "", "on")),
    *(order("enabled", "OFF") + order("enabled", "ON", retain) + ANA for retain in (False, True)),
    *(order("enabled", "OFF") + ANA + order("enabled", "ON") + see("Ana") * 2, AWAY + ANA + BACK + see("Ana")),
    *(AWAY + ANA, AWAY + BACK + ANA, AWAY + order("let_in", "Ana until 22:00") + ANA, PETRA + see("Petra") * 2),
    *(
        PETRA + order("let_in", '{"person":"Petra","until":null}') + see("Petra") * 2,
        PETRA + EVENING + see("Petra") * 2,
    ),
    *(
        PETRA + NIGHT + see("Petra") * 2,
        PETRA + clock(DAY_S) + see("Petra") * 2,
        clock(0.0, is_set=False) + PETRA + AWAY,
    ),
    *(order("let_in", f"guest {n} until 23:00") * (n < 13) for n in range(1, 14)),
    b"".join(order("let_in", f"guest {n} until 23:00") for n in range(14)) + PETRA,
    *(order("let_in", f'{{"person":"Petra","until":{until}}}') + see("Petra") * 2 for until in (1.9e9, 1800000010, 0)),
    order("let_in", '{"person":"' + "\ufb2c" * 30 + '","until":"22:00"}') + ANA,
    pair(person=('"' + "\ufb2c" * 30 + '"').encode()),
    pair(person='"e\u0301"'.encode()) + order("let_in", "\u00e9 until 22:00") + ANA,
)
TURNS_AWAY = EVENING + see("Ana", track=1) * 2 + answer(BY_THE_PORCH) + (wait(1.0) + see(None, track=1)) * 5
ASKED = (
    TURNS_AWAY + wait(2.5) + LEFT + BORUT,
    EVENING + ANA + order("let_in", "Ana until 22:30") + see("Ana") + answer(BY_THE_PORCH),
    EVENING + ANA + clock(0.0) + see("Ana") + answer(BY_THE_PORCH),
    EVENING + ANA + STAYS * 4 + answer(BY_THE_PORCH) + STAYS,
    EVENING + ANA + STAYS * 3 + step(Story.snapshot, 0, 0, 0, 1, 2),
    EVENING + ANA + STAYS * 4 + stall(1.0) + answer(BY_THE_PORCH) + see("Ana"),
    EVENING + ANA + stall(6.0) + answer(BY_THE_PORCH) + see("Ana"),
    *(EVENING + ANA + answer(BY_THE_PORCH) + see("Ana") * 2, EVENING + ANA + answer("YES") + see("Ana")),
    *(EVENING + ANA + wait(1.0) + answer(word) + see("Ana") * 2 for word in ("YES", "NO", "yes", '{"answer":"NO"}')),
    *(EVENING + ANA + wait(1.0) + answer(*to) + see("Ana") for to in (("YES", "back"), ("YES", "front", True))),
    *(EVENING + ANA + wait(1.0) + answer(f'{{"answer":"YES","ts":{ts}}}') + see("Ana") for ts in (0, 1800043210, 9e10)),
    *(EVENING + ANA + wait(6.0), EVENING + ANA + STAYS * 6, EVENING + ANA + answer(BY_THE_PORCH)),
    EVENING + see("Ana", track=1) * 2 + answer(BY_THE_PORCH) + (wait(1.0) + see(None, track=1)) * 6,
    EVENING
    + ANA
    + answer(BY_THE_PORCH)
    + order("enabled", "OFF")
    + see("Ana")
    + order("enabled", "ON")
    + see("Ana") * 2,
    EVENING + ANA + answer(BY_THE_PORCH) + answer('{"answer":"NO","id":"porch-2"}') + see("Ana"),
    EVENING + see("Ana", "Borut") * 3 + wait(1.0) + see("Ana", "Borut") + answer("NO") + see("Borut") * 2,
    EVENING
    + ANA
    + PETRA
    + see("Ana", camera="hall") * 2
    + order("let_in", "Ana until 22:30")
    + see("Ana", camera="hall"),
    EVENING + ANA + answer("YES") + wait(2.5) + ANA + answer(BY_THE_PORCH) + see("Ana"),
    EVENING + step(Story.snapshot, 0, 0, 0, 1, 2) + ANA + step(Story.snapshot, 0, 0, 0, 3, 4),
    EVENING
    + step(Story.snapshot, 0, 0, AGES_S.index(5.0), 1, 2)
    + ANA
    + wait(2.0)
    + step(Story.snapshot, 4, 0, 0, 3, 4),
    EVENING + ANA + NIGHT + see("Ana") + answer(BY_THE_PORCH) + see("Ana"),
)
LINKS = (
    *(told(Story.availability, word) + pair() for word in (b"offline", b"online\n", b"ONLINE", b"", b"\xff")),
    *(
        told(Story.session, b"other") + pair(),
        told(Story.session, b"a\n") + pair(),
        LOST + pair(),
        LOST + FOUND + pair(),
    ),
    *(BROKEN + pair(), LOST + FOUND + told(Story.availability, b"online") + pair()),
    *(LOST + FOUND + told(Story.session, b"other") + pair(), LOST + FOUND + ANA + wait(1.0) + see("Ana")),
    *(
        told(Story.availability, b"offline") + ANA + told(Story.availability, b"online") + see("Ana"),
        ANA + LOST + ANA,
    ),
    *(DISK + ANA, DISK + ANA + DISK + see("Ana") + wait(2.5) + ANA, DISK + STRANGER, DISK + AWAY + DISK + ANA),
    *(
        EVENING + ANA + DISK + answer(BY_THE_PORCH) + see("Ana"),
        DISK + step(Story.event, 0, 0) + RAW + blob(b"{}") + DISK,
    ),
)

STORIES = (*FRAMES, *TIMES, *LOCKED_OUT, *DENIED, *SWITCHES, *ASKED, *LINKS)
CHANGED = ("person", "distance", "box", "sharpness", "track", "id", "camera", "captured_at", "seq", "faces")
SEEDS = [START + story for story in STORIES] + [ALONE + story for story in STORIES]
SEEDS += [START + pair(**{key: fragment}) for key in CHANGED for fragment in FRAGMENTS]
SEEDS += [
    START + told(kind, fragment) + pair()
    for kind in (Story.frame, Story.session, Story.availability, Story.order)
    for fragment in FRAGMENTS
]
SEEDS += [START + EVENING + ANA + answer("YES") + told(Story.answer, fragment) for fragment in FRAGMENTS]
SEEDS += [START + step(Story.event, 0, 0) + RAW + blob(fragment) for fragment in FRAGMENTS]
SEEDS += [
    START + step(Story.order, 3, 0) + RAW + blob(obj([("person", person), ("until", until)])) + see("Petra") * 2
    for person, until in (*((fragment, b"null") for fragment in FRAGMENTS), *((b'"Petra"', f) for f in FRAGMENTS))
]

TARGET = Target(run, SEEDS)
