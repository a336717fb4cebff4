"""Argon2id hashes: what verifies, what does not, and that an unknown account costs the same."""

import threading
from collections.abc import Iterator

import argon2
import pytest
from argon2 import PasswordHasher

from alexandria.adapters.identity import password_hashing
from alexandria.adapters.identity.password_hashing import (
    hash_password,
    needs_rehash,
    verify_password,
)
from alexandria.errors import IntegrityError, InvalidInputError, OverloadedError

PASSWORD = "velvet otter paints canals"


@pytest.fixture(scope="module", autouse=True)
def slow_hashes(slow_hasher: PasswordHasher) -> Iterator[None]:
    """These tests are about the real one."""
    password_hashing._hash_of_nobody.cache_clear()  # type: ignore[reportPrivateUsage]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password_hashing, "_hasher", slow_hasher)
        yield
    password_hashing._hash_of_nobody.cache_clear()  # type: ignore[reportPrivateUsage]


@pytest.fixture(scope="module")
def stored() -> str:
    return hash_password(PASSWORD)


def test_a_hash_is_argon2id_and_says_nothing_of_the_password(stored: str) -> None:
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,")
    assert "otter" not in stored
    assert hash_password(PASSWORD) != stored
    assert not needs_rehash(stored)


def test_only_the_password_verifies(stored: str) -> None:
    assert verify_password(stored, PASSWORD)
    for other in ("", PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], PASSWORD + "\0", stored):
        assert not verify_password(stored, other), other


def test_the_end_of_a_long_password_counts() -> None:
    long = "x" * 127
    kept = hash_password(long + "a")
    assert verify_password(kept, long + "a")
    assert not verify_password(kept, long + "b")


def test_another_keyboard_writes_the_same_password() -> None:
    kept = hash_password("cr\u00e8me br\u00fbl\u00e9e")
    assert verify_password(kept, "cre\u0300me bru\u0302le\u0301e")
    assert not verify_password(kept, "creme brulee")


ACCENTS = "x" + "\u0301\u0316" * 1_000_000
"""Takes hours to normalize."""


@pytest.mark.parametrize("password", ["", PASSWORD, "\ud800", "x" * 1_000_000, ACCENTS])
def test_nobody_has_no_password(stored: str, password: str) -> None:
    assert not verify_password(None, password)
    assert verify_password(stored, password) == (password == PASSWORD)


def test_a_password_that_no_account_can_have_is_not_hashed() -> None:
    with pytest.raises(InvalidInputError):
        hash_password(ACCENTS)


def test_no_password_is_another_one_cut_short() -> None:
    kept = hash_password("x" * 512)
    assert verify_password(kept, "x" * 512)
    assert not verify_password(kept, "x" * 513)


def test_nobody_costs_the_work_of_one_hash(stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in calls of argon2 itself, with their parameters, since time varies."""
    verify_password(None, PASSWORD)
    work: list[tuple[bytes, int]] = []
    real = argon2.low_level.verify_secret

    def counted(hash: bytes, secret: bytes, type: argon2.Type) -> bool:  # noqa: A002
        work.append((hash.rsplit(b"$", 2)[0], len(secret)))
        return real(hash, secret, type)

    monkeypatch.setattr("argon2._password_hasher.verify_secret", counted)
    verify_password(stored, "another password")
    verify_password(None, "another password")
    verify_password(stored, "x" * 4000)
    assert len(work) == 3
    assert work[0] == work[1]
    assert work[0][0] == work[2][0]


def test_a_hash_of_weaker_parameters_verifies_and_is_made_again() -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    assert verify_password(weak, PASSWORD)
    assert needs_rehash(weak)


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA"])
def test_a_damaged_hash_is_said_so(damaged: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify_password(damaged, PASSWORD)
    assert PASSWORD not in caught.value.message
    with pytest.raises(IntegrityError):
        needs_rehash(damaged[:20])


def test_a_crowd_is_turned_away_and_leaves_no_trace(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_hashing, "_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(password_hashing, "_places", threading.BoundedSemaphore(1))
    password_hashing._places.acquire()  # type: ignore[reportPrivateUsage]
    with pytest.raises(OverloadedError):
        verify_password(stored, PASSWORD)
    password_hashing._places.release()  # type: ignore[reportPrivateUsage]
    assert verify_password(stored, PASSWORD)
