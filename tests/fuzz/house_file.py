"""The house's file, when it is any text: a house, or lines that say what is wrong where."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from agents import house
from agents.runtime.yamlfile import ConfigError
from tests.fuzz.reader import Reader
from tests.fuzz.targets import Target

WHOLE = b"""\
mqtt: { host: 127.0.0.1, port: 1883 }
doors:
  front:
    relay: { pin: 17, pin_factory: mock }
    hold_s: 3
cameras:
  front: { source: 0 }
scheduler:
  timezone: Europe/Zagreb
  doors:
    front:
      cameras: [front]
      windows: [{ who: everybody, days: mon-fri, from: 07:00, to: 19:00 }]
"""
PIECES = (
    *(b"&a ", b"*a", b"<<: *a", b"!!python/object/apply:os.system ", b"!!int ", b"!!binary ", b"!x!y ", b"%YAML 1.2\n"),
    *(b"--- ", b"...\n", b"? ", b": ", b"- ", b"[", b"]", b"{", b"}", b"|\n", b">-\n", b'"', b"'", b"#", b"@", b"`"),
    *(
        b'"\\UFFFFFFFF"',
        b'"\\UD800"',
        b'"\\ud800"',
        b'"\\x00"',
        b"%YAML 99999999.1\n",
        b"%YAML " + b"9" * 5000 + b".1\n",
    ),
    *(b"\t", b"\r", b"\x00", b"\x07", b"\x1b", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"\xff\xfe", b"\xf0\x9f\x9a\xaa", b"9" * 5000, b"1e999", b".inf", b".nan", b"0o17", b"017", b"1_000", b"19:00"),
    *(b"~", b"null", b"true", b"on", b"=", b"doors:", b"  front:", b"x: ", b"? [a]\n: b\n", b"\n", b"hold_s: ", b"-1"),
    *(b"timezone: ", b"../../etc/passwd", b"A" * 300, b"\\", b"from: 24:00", b"days: mon-", b"pin: [17]"),
    *(b"  " * 300 + b"x:\n", b"&a [*a]", b"!%FF x", b"!<!> x", b"? " * 9, b"[" * 9, b"- [" * 9, b"{a: " * 9),
)
DEEP = (b"[" * 600, b"{" * 600, b"- " * 600, b"{a: " * 600, b"? " * 600, b"- [" * 600)
MAX_CHANGES = 6


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="facelatch-fuzz-")


def run(data: bytes) -> set[str]:
    return _load(_text(Reader(data)))


def _text(reader: Reader) -> bytes:
    """Any bytes, or a good file with pieces put in, lines left out or said twice."""
    kind = reader.number()
    if kind == 0:
        return reader.rest()
    if kind == 1:
        return b"".join(reader.pick(PIECES) for _ in range(reader.number() % 40))
    if kind == 2:
        return reader.pick(DEEP) + reader.rest()
    lines = WHOLE.splitlines(keepends=True)
    for _ in range(reader.number() % MAX_CHANGES):
        at, how = reader.number() % len(lines), reader.number()
        column = reader.number() % len(lines[at])
        if how % 4 == 0 and len(lines) > 1:
            del lines[at]
        elif how % 4 == 1:
            lines.insert(reader.number() % len(lines), lines[at])
        else:
            put = reader.pick(PIECES) if how % 4 == 2 else reader.take(reader.number() % 8)
            lines[at] = lines[at][:column] + put + lines[at][column + reader.number() % 4 :]
    return b"".join(lines)


def _load(content: bytes) -> set[str]:
    path = Path(_folder().name) / "house.yaml"
    path.unlink(missing_ok=True)  # to overwrite it would wait for the disk
    path.write_bytes(content)
    errors = _errors(path)
    for line in errors:
        assert line.startswith(str(path)), line
        assert line.isprintable(), line
    return {"refused" if errors else "a house"}


def _errors(path: Path) -> tuple[str, ...]:
    try:
        house.load(path)
    except ConfigError as error:
        return error.errors or ("refused, and nobody says why",)
    return ()


def bomb(levels: int) -> bytes:
    """Nine aliases of nine aliases of …: a few bytes that stand for 9 ** levels words."""
    lines = [b"a0: &a0 [x]"]
    lines += [b"a%d: &a%d [%s]" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, levels)]
    return b"\n".join(lines)


SEEDS = [b"\x00" + text for text in (b"", WHOLE, bomb(9), b"a: &a [*a]", b"a: &a {<<: *a}", b"\xff", b"doors: {}")]
SEEDS += [b"\x00" + piece for piece in (*PIECES, *DEEP)] + [b"\x00x: " + piece for piece in PIECES]
SEEDS += [b"\x00" + WHOLE.replace(b"hold_s: 3", b"hold_s: " + piece) for piece in PIECES]
SEEDS += [b"\x00" + WHOLE.replace(b"Europe/Zagreb", piece) for piece in PIECES]
SEEDS += [b"\x00" + WHOLE + piece for piece in PIECES] + [b"\x00" + piece + WHOLE for piece in PIECES]

TARGET = Target(run, SEEDS)
