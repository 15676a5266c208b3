"""Topic strings: names go in and come out again, and no string is read as what it is not."""

from __future__ import annotations

from agents.wire.topics import ALL, REPLY, Topic
from tests.fuzz.reader import Reader, blob
from tests.fuzz.targets import Target

BASES = ("facelatch", "a/b", "house-1", "facelatch/door")
LEVELS = (
    *(
        "front",
        "door",
        "camera",
        "+",
        "#",
        "",
        " ",
        "$SYS",
        "facelatch",
        "grant",
        "command",
        "<door>",
        "reply",
        "frame",
    ),
    *("\x00", "\n", "č", "\ud800", "..", "a" * 65, "front/command", "/"),
)


def run(data: bytes) -> set[str]:
    reader = Reader(data)
    base = reader.pick(BASES)
    names = tuple(_level(reader) for _ in range(reader.number() % 4))
    seen = set().union(*(_round_trip(topic, base, names) for topic in ALL))
    return seen | _read(base, _string(reader, base))


def _level(reader: Reader) -> str:
    return reader.blob().decode("utf-8", "replace") if reader.number() == 0 else reader.pick(LEVELS)


def _string(reader: Reader, base: str) -> str:
    """Any text, or a topic's path with some of its levels changed."""
    if reader.number() == 0:
        return reader.rest().decode("utf-8", "surrogateescape")
    levels = [*reader.pick(BASES).split("/"), *reader.pick(ALL).path.split("/")]
    for _ in range(reader.number() % 4):
        levels[reader.number() % len(levels)] = _level(reader)
    return "/".join(levels)


def _round_trip(topic: Topic, base: str, names: tuple[str, ...]) -> set[str]:
    try:
        string = topic.at(base, *names)
    except ValueError:
        assert len(names) != topic.path.count("<") or "" in names
        return {"not the names that a topic takes"}
    assert string.startswith(f"{base}/")
    found = topic.names_in(base, string)
    if {"/", "+", "#"} & set("".join(names)):  # what no name has; the string may be another topic's
        return {"names that are none"}
    assert found == names, (string, found)
    return {"names that come out again"}


def _read(base: str, string: str) -> set[str]:
    seen = set()
    for topic in ALL:
        names = topic.names_in(base, string)
        if names is not None:
            assert topic.at(base, *names) == string
            assert len(names) == topic.path.count("<")
            assert all(name and not {"/", "+", "#"} & set(name) for name in names), names
            seen.add(f"read as {topic.path}")
    found = REPLY.names_in(base, string)
    assert found is None or string == f"{base}/reply/{found[0]}/{found[1]}", "an answer would go elsewhere"
    return seen


SEEDS = [
    bytes([0, 0, 0]) + string.encode("utf-8", "surrogatepass")
    for string in (
        *(topic.at("facelatch", *["front"] * topic.path.count("<")) for topic in ALL),
        *("", "/", "//", "facelatch", "facelatch/", "facelatch//command", "facelatch/door/+/command", "facelatch/#"),
        *("facelatch/reply/a/b/c", "facelatch/reply//b", "facelatch/reply/a/", "reply/a/b", "/facelatch/reply/a/b"),
        *("facelatch/facelatch/reply/a/b", "facelatch/door/front/grant", "facelatch/reply/../door/front/grant"),
        *("facelatch/door/a/b/command", "Facelatch/reply/a/b", "facelatch/reply/a/b\x00", "facelatch/reply/é/\ud800"),
    )
]
SEEDS += [b"\x00\x02\x01" + bytes([n]) + b"\x01" + bytes([m]) for n in range(len(LEVELS)) for m in range(len(LEVELS))]
SEEDS += [b"\x00\x01\x00" + blob(content) for content in (b"", b"a", b"a/b", b"\xff", b"a" * 300)]

TARGET = Target(run, SEEDS)
