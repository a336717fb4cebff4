"""Who may read which files of a folder, as the file `.access.toml` in it says.

Each rule names files by patterns like those of `.gitignore` and the readers they are for; the
last rule that fits a file holds. A file that no rule fits is for the readers of its source.

    [[rules]]
    files = ["board/**", "*.key.md"]
    readers = ["group:board", "user:ann@example.org"]
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alexandria.errors import InvalidInputError
from alexandria.identity.access import check_readers

ACCESS_FILE = ".access.toml"


@dataclass(frozen=True, slots=True)
class _Rule:
    patterns: Any
    readers: tuple[str, ...]


class AccessRules:
    """The rules of one folder, first to last."""

    def __init__(self, rules: Sequence[_Rule] = ()) -> None:
        self._rules = rules

    @classmethod
    def read(cls, root: Path) -> "AccessRules":
        """The rules of a folder; none where it has no file of them.

        Raises:
            InvalidInputError: The file is there and cannot be read or understood. Nothing of
                the folder may be taken in then: nobody knows who may read it.
        """
        file = root / ACCESS_FILE
        if root.is_file() or not file.exists():
            return cls()
        try:
            written = tomllib.loads(file.read_text(encoding="utf-8"))
            return cls([_rule(entry) for entry in _entries(written)])
        except (OSError, ValueError, InvalidInputError) as error:
            raise InvalidInputError(
                f"{file} does not say who may read what: {error}. Correct it; until then this "
                "source stays as it was."
            ) from error

    def readers_of(self, path: str) -> list[str] | None:
        """Who may read a file; None where no rule says."""
        for rule in reversed(self._rules):
            if rule.patterns.match_file(path):
                return list(rule.readers)
        return None


def _entries(written: Mapping[str, Any]) -> list[Any]:
    unknown = sorted(set(written) - {"rules"})
    rules = written.get("rules", [])
    if unknown or not isinstance(rules, list):
        raise InvalidInputError("it holds [[rules]] with `files` and `readers`, nothing else")
    return rules


def _rule(entry: Any) -> _Rule:
    from pathspec import PathSpec

    if not isinstance(entry, Mapping) or set(entry) != {"files", "readers"}:
        raise InvalidInputError("each rule has `files` and `readers`, nothing else")
    files = entry["files"]
    if not isinstance(files, list) or not all(isinstance(one, str) for one in files):
        raise InvalidInputError("`files` is a list of patterns")
    return _Rule(PathSpec.from_lines("gitwildmatch", files), check_readers(entry["readers"]))
