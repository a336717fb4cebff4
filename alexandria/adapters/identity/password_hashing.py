"""Passwords as Argon2id hashes: slow and large on purpose, so only a few are made at a time."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from alexandria.errors import IntegrityError, InvalidInputError, OverloadedError
from alexandria.identity.passwords import LONGEST_TYPED, normalize_password

_AT_A_TIME = 4
"""Each takes 64 MiB of memory while it is made."""

_WAIT_SECONDS = 10.0
_DAMAGED = "The stored hash of a password is damaged; set a new one."

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_places = BoundedSemaphore(_AT_A_TIME)


def hash_password(password: str) -> str:
    """The hash to store, with its salt and its parameters.

    Raises:
        InvalidInputError: No password is that long; `check_password` refuses more than this.
        OverloadedError: Too many were asked for at once.
    """
    if len(password) > LONGEST_TYPED:
        raise InvalidInputError("The password is too long.")
    with _place():
        return _hasher.hash(_bytes(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether a password is the one behind a hash.

    Args:
        stored: None for an account that does not exist or has no password. The answer is no
            after the same work, so that its time does not tell which accounts exist.
        password: As it was typed.

    Raises:
        IntegrityError: What is stored is no hash of a password.
        OverloadedError: Too many were asked for at once.
    """
    with _place():
        nobody = _hash_of_nobody()
        compared = nobody if stored is None or len(password) > LONGEST_TYPED else stored
        try:
            return _hasher.verify(compared, _bytes(password[:LONGEST_TYPED]))
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError) as error:
            raise IntegrityError(_DAMAGED) from error


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's.

    Raises:
        IntegrityError: What is stored is no hash of a password.
    """
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError as error:
        raise IntegrityError(_DAMAGED) from error


def _bytes(password: str) -> bytes:
    return normalize_password(password).encode("utf-8", "surrogatepass")


@cache
def _hash_of_nobody() -> str:
    """The hash of a password that nobody knows."""
    return _hasher.hash(secrets.token_bytes(32))


@contextmanager
def _place() -> Generator[None]:
    if not _places.acquire(timeout=_WAIT_SECONDS):
        raise OverloadedError("Too many people sign in at once; try again in a moment.")
    try:
        yield
    finally:
        _places.release()
