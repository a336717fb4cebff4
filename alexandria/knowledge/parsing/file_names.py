"""Names of files inside files: whatever a path says, a name that is harmless anywhere.

A path's folders join the name, so "2024/../notes/a.txt" becomes "2024 - notes - a.txt". Marks
that file systems give a meaning become "_"; marks that turn the direction of writing go, for
they make a name look like another. Letters of any script stay.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from alexandria.knowledge.parsing.drafts import one_line

_SLASHES = re.compile(r"[/\\]+")
_SPECIAL = re.compile(r"[<>:\"|?*]")
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST_NAME, _LONGEST_SUFFIX = 200, 20


def path_parts(path: str) -> list[str]:
    """The folders and the name of a path, without those that only point elsewhere."""
    return [part for part in _SLASHES.split(path) if part.strip(". ")]


def safe_names(paths: Iterable[str]) -> Iterator[str]:
    """A name for each path, of 200 bytes and a suffix at most; no two differ in case alone."""
    counts: dict[str, int] = {}
    for path in paths:
        name = plain = _safe_name(path)
        while name.casefold() in counts:
            counts[plain.casefold()] += 1
            stem, suffix = _split(plain)
            name = f"{stem} ({counts[plain.casefold()]}){suffix}"
        counts[name.casefold()] = 1
        yield name


def _safe_name(path: str) -> str:
    cleaned = (one_line(_TURNING.sub("", part)) for part in path_parts(path))
    parts = (_SPECIAL.sub("_", part).strip(". ") for part in cleaned)
    stem, suffix = _split(" - ".join(filter(None, parts)) or "file")
    kept = stem.encode("utf-8", "ignore")[:_LONGEST_NAME].decode("utf-8", "ignore")
    return (kept.rstrip() or "file") + suffix


def _split(name: str) -> tuple[str, str]:
    """Stem and suffix; what is too long for a suffix is none."""
    suffix = PurePosixPath(name).suffix
    if not suffix or len(suffix) > _LONGEST_SUFFIX:
        return name, ""
    return name[: -len(suffix)], suffix
