"""Passwords, hashed by mosquitto's own program."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import BrokerError, passwords


def test_a_password_has_128_bits_and_is_easy_to_type() -> None:
    made = [passwords.make() for _ in range(200)]
    assert len(set(made)) == 200
    assert len(set(passwords.LETTERS)) ** passwords.LENGTH > 2**128
    assert all(len(word) == passwords.LENGTH and not set(word) - set(passwords.LETTERS) for word in made)
    assert not set(passwords.LETTERS) & set("0o1li")


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_hash_is_that_of_its_password_and_of_no_other(password: str, other: str) -> None:
    hashed = passwords.hashed(password)
    assert passwords.matches(hashed, password)
    assert passwords.matches(hashed, other) is (password == other)
    assert passwords.hashed(password) != hashed  # salted


def test_what_mosquittos_own_program_hashed_is_known_too(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    path.write_text("door-front:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True)
    hashed = passwords.decode(path.read_bytes(), str(path))["door-front"]
    assert passwords.matches(hashed, "secret")
    assert not passwords.matches(hashed, "secrets")


@given(
    st.text(max_size=30) | st.from_regex(r"\A\$7\$[0-9]{1,2}\$[A-Za-z0-9+/=]{0,9}\$[A-Za-z0-9+/=]{0,9}\Z"), st.text()
)
def test_a_damaged_hash_matches_nothing(hashed: str, password: str) -> None:
    assert not passwords.matches(hashed, password)


def test_the_file_is_read_back_as_it_was_written() -> None:
    hashes = {"door-front": "$7$101$a$b", "unlock": "$6$c$d"}
    assert passwords.decode(passwords.encode(hashes), "passwords") == hashes
    assert passwords.decode(b"", "passwords") == {}


@pytest.mark.parametrize("data", [b"\xff\xfe", b"door-front", b"door-front:plain", b":$7$101$a$b", b"a:$7$\n\n"])
def test_a_damaged_file_is_told_by_name(data: bytes) -> None:
    with pytest.raises(BrokerError, match=r"^the/file is no file of mosquitto's passwords"):
        passwords.decode(data, "the/file")
