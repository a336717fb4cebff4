"""Access lists: who may read a document, by name."""

import re
from collections.abc import Iterable
from typing import Any

from alexandria.errors import InvalidInputError
from alexandria.identity.principals import EVERYONE

PRIVATE_UPLOADS = "private"
"""Folder among uploads in which each person has one that only they may read."""

_READER = re.compile(r"everyone|(user|group|role):\S(.{0,318}\S)?")


def check_readers(readers: Any) -> tuple[str, ...]:
    """The names of an access list, sorted, each once.

    Raises:
        InvalidInputError: It is no list of names, or empty: nobody could read it.
    """
    if not isinstance(readers, Iterable) or isinstance(readers, str):
        raise InvalidInputError("Readers are a list of names.")
    names = [str(name) for name in readers]
    wrong = [name for name in names if not _READER.fullmatch(name)]
    if wrong or not names:
        listed = ", ".join(wrong) or "an empty list"
        raise InvalidInputError(
            f"Readers are {EVERYONE}, user:EMAIL, group:NAME or role:NAME; not {listed}."
        )
    return tuple(sorted({_folded(name) for name in names}))


def _folded(name: str) -> str:
    """People are known by their addresses in lower case."""
    return name.lower() if name.startswith("user:") else name
