"""The house's file is read as it is meant, or refused with file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from agents.runtime import yamlfile
from agents.runtime.settings import Section
from agents.runtime.yamlfile import ConfigError


class Lamp(Section):
    pin: int | Annotated[str, Field(min_length=1)] = 17
    hold_s: Annotated[float, Field(gt=0)] = 3.0
    lit: bool = False


class Hall(Section):
    opens: str = "07:00"
    lamps: dict[str, Lamp] = {}
    rows: list[Lamp] = []
    note: str | None = None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hall.yaml"


def hall(file: Path, text: str | bytes) -> Hall:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return yamlfile.load(file, Hall)[0]


def errors(file: Path, text: str | bytes) -> list[str]:
    """What is said against the text, without the folder."""
    with pytest.raises(ConfigError) as caught:
        hall(file, text)
    assert str(caught.value) == "\n".join(caught.value.errors)
    assert all(error.startswith(f"{file.parent}/") for error in caught.value.errors)
    return [error.removeprefix(f"{file.parent}/") for error in caught.value.errors]


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("19:00", "19:00"),
        ("on", "on"),
        ("no", "no"),
        ("2027-01-15", "2027-01-15"),
        ("0x11", "0x11"),
        ("1_000", "1_000"),
        ("<<", "<<"),
        ("'17'", "17"),
        ('"č"', "č"),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_a_plain_value_is_what_it_looks_like(file: Path, value: str, meant: str | None) -> None:
    assert hall(file, f"note: {value}").note == meant


@pytest.mark.parametrize(("value", "meant"), [("17", 17), ("017", 17), ("08", 8), ("-1", -1), ("GPIO17", "GPIO17")])
def test_a_pins_number_is_decimal(file: Path, value: str, meant: int | str) -> None:
    assert hall(file, f"lamps: {{ a: {{ pin: {value} }} }}").lamps["a"].pin == meant


@pytest.mark.parametrize(
    ("value", "meant"), [("3", 3.0), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1e3), ("1.5e-1", 0.15)]
)
def test_a_number_of_seconds_may_be_written_as_people_do(file: Path, value: str, meant: float) -> None:
    assert hall(file, f"lamps: {{ a: {{ hold_s: {value} }} }}").lamps["a"].hold_s == meant


def test_lists_and_tables_nest(file: Path) -> None:
    text = "rows:\n  - { pin: 1 }\n  - pin: 2\n    lit: true\nlamps:\n  a: {}\n"
    assert hall(file, text) == Hall(rows=[Lamp(pin=1), Lamp(pin=2, lit=True)], lamps={"a": Lamp()})


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "{}", "\ufeff{}"], ids=repr)
def test_an_empty_file_has_every_default(file: Path, text: str) -> None:
    assert hall(file, text) == Hall()


def test_every_key_has_its_line(file: Path) -> None:
    file.write_text("opens: 8:00\nrows:\n  - pin: 1\n    lit: true\n  - pin: 2\n")
    _, lines = yamlfile.load(file, Hall)
    assert lines == {
        (): 1,
        ("opens",): 1,
        ("rows",): 2,
        ("rows", 0): 3,
        ("rows", 0, "pin"): 3,
        ("rows", 0, "lit"): 4,
        ("rows", 1): 5,
        ("rows", 1, "pin"): 5,
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("note: x\nopnes: x", "hall.yaml:2: opnes: unknown key; did you mean opens?"),
        ("lamps:\n  a:\n    hold: 3", "hall.yaml:3: lamps.a.hold: unknown key; did you mean hold_s?"),
        ("\n\nzebra: 1", "hall.yaml:3: zebra: unknown key"),
        ("note: 17", "hall.yaml:1: note: Input should be a valid string (got 17)"),
        ("note: [x]", "hall.yaml:1: note: Input should be a valid string (got ['x'])"),
        ("rows:\n- lit: yes", "hall.yaml:2: rows.0.lit: Input should be a valid boolean (got 'yes')"),
        ("rows:\n- hold_s: '3'", "hall.yaml:2: rows.0.hold_s: Input should be a valid number (got '3')"),
        ("rows:\n- hold_s: 0", "hall.yaml:2: rows.0.hold_s: Input should be greater than 0 (got 0)"),
        ("rows:\n- hold_s: 1e999", "hall.yaml:2: rows.0.hold_s: Input should be a finite number (got inf)"),
        ("rows:\n- {}\n- 7", "hall.yaml:3: rows.1: Input should be a valid dictionary or instance of Lamp (got 7)"),
        ('"note\\nopens": 1', "hall.yaml:1: note opens: unknown key"),
        ("- a", "hall.yaml:1: Input should be a valid dictionary or instance of Hall (got ['a'])"),
        ("note: a\nopens: x\nnote: b", "hall.yaml:3: note: given twice"),
        ("lamps:\n  a: {}\n  a: {}", "hall.yaml:3: lamps.a: given twice"),
        ("? [a, b]\n: c", "hall.yaml:1: a key must be a plain word"),
        ("note: a\n\tb: c", "hall.yaml:2: not YAML: found character '\\t' that cannot start any token"),
        ("note: [a", "hall.yaml:1: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: b: c", "hall.yaml:1: not YAML: mapping values are not allowed here"),
        ("note: a\n---\nnote: b", "hall.yaml:2: not YAML: but found another document"),
        ("opens: a\nnote: \x07", "hall.yaml:2: not YAML: special characters are not allowed"),
        ("[" * 1000, "hall.yaml: nested too deeply"),
        ("opens: &x a\nnote: *x", "hall.yaml:2: not YAML: aliases (*name) are not read here"),
        ("rows: &a [*a]", "hall.yaml:1: not YAML: aliases (*name) are not read here"),
        ("note: !!python/name:os.system ''", "hall.yaml:1: note: '' can't be read as 'python/name:os.system'"),
        ("note: !!timestamp soon", "hall.yaml:1: note: 'soon' can't be read as 'timestamp'"),
        ("rows:\n- lit: !!bool maybe", "hall.yaml:2: rows.0.lit: 'maybe' can't be read as 'bool'"),
        ("rows:\n- pin: !!int ''", "hall.yaml:2: rows.0.pin: '' can't be read as 'int'"),
        (b"note: \xff", "hall.yaml: is not UTF-8 text"),
        (b"\xff\xfen\x00", "hall.yaml: is not UTF-8 text"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_an_error_names_the_file_the_line_and_the_key(file: Path, text: str | bytes, error: str) -> None:
    assert errors(file, text) == [error]


def test_a_value_that_may_be_of_two_kinds_is_refused_under_its_own_key(file: Path) -> None:
    assert errors(file, "lamps:\n  a: { pin: [1] }") == [
        "hall.yaml:2: lamps.a.pin: Input should be a valid integer (got [1])",
        "hall.yaml:2: lamps.a.pin: Input should be a valid string (got [1])",
    ]


def test_all_errors_are_told_at_once(file: Path) -> None:
    assert errors(file, "opens: 7\nlamps:\n  a: { lit: 1 }\n  b: { litt: true }\n") == [
        "hall.yaml:1: opens: Input should be a valid string (got 7)",
        "hall.yaml:3: lamps.a.lit: Input should be a valid boolean (got 1)",
        "hall.yaml:4: lamps.b.litt: unknown key; did you mean lit?",
    ]


class Needy(Section):
    lamp: Lamp
    name: str


def test_a_missing_key_is_told_where_it_belongs(file: Path) -> None:
    file.write_text("\nlamp: {}\n")
    with pytest.raises(ConfigError) as caught:
        yamlfile.load(file, Needy)
    assert caught.value.errors == (f"{file}:1: name: missing",)


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        yamlfile.load(file, Hall)
    assert caught.value.errors == (f"{file}: No such file or directory",)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        yamlfile.load(tmp_path, Hall)
    assert caught.value.errors == (f"{tmp_path}: Is a directory",)


def test_complaints_stand_where_they_belong(file: Path) -> None:
    file.write_text("rows:\n- {}\n- pin: 1\n")
    _, lines = yamlfile.load(file, Hall)
    yamlfile.complain(file, lines, [])
    with pytest.raises(ConfigError) as caught:
        yamlfile.complain(file, lines, [(("rows", 1, "pin"), "taken"), (("rows", 0, "pin"), "taken"), ((), "dull")])
    assert caught.value.errors == (
        f"{file}:3: rows.1.pin: taken",
        f"{file}:2: rows.0.pin: taken",
        f"{file}:1: dull",
    )


# Text made of YAML's own signs gets far deeper into the parser than letters do.
signs = st.lists(
    st.sampled_from(
        [*"\n\n  -:?,[]{}&*!|>'\"%@#~", "- ", ": ", "a", "note", "rows:\n", "!!int ", "!!set ", "<<", "\\u", "\\a", "1"]
    ),
    max_size=40,
).map("".join)
scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
keys = st.sampled_from([*Hall.model_fields, *Lamp.model_fields, "x"])
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200)
@given(text=st.text(max_size=80) | signs | trees.map(repr))
def test_any_text_is_read_or_refused_line_by_line(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    try:
        yamlfile.load(file, Hall)
    except ConfigError as error:
        refused = error.errors
    else:
        return
    assert refused
    assert all(line.startswith(f"{file}:") and line.isprintable() for line in refused)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    try:
        found = yamlfile.load(file, Hall)[0]
    except ConfigError:
        return
    assert isinstance(found, Hall)
