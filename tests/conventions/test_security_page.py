"""`docs/security.md` goes through a standard row by row, and no row promises what nothing shows.

The standard is OWASP ASVS 5.0 at levels 1 and 2, without its chapters on how code is written and
on WebRTC. A row that is met names a test or a file, and the one that is named is there.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from house_files import ROOT, tree

from alexandria.identity.passwords import LISTED_WORDS, MAX_CHARACTERS, MIN_CHARACTERS
from alexandria.identity.permissions import ROLE_PERMISSIONS, Permission, Role

PAGE = ROOT / "docs" / "security.md"
STATES = {"met", "not applicable", "open"}
HEADERS = ["Requirement", "Asks", "State", "Where, or why"]

SECTIONS: dict[str, dict[str, str]] = {
    "V1": {"1": "1-2", "2": "1-9", "3": "1-11", "4": "1-3", "5": "1-2"},
    "V2": {"1": "1-3", "2": "1-3", "3": "1-4", "4": "1"},
    "V3": {"2": "1-2", "3": "1-4", "4": "1-6", "5": "1-5", "7": "1-2"},
    "V4": {"1": "1-3", "2": "1", "3": "1-2", "4": "1-4"},
    "V5": {"1": "1", "2": "1-3", "3": "1-2", "4": "1-3"},
    "V6": {"1": "1-3", "2": "1-12", "3": "1-4", "4": "1-4", "5": "1-5", "6": "1-3", "8": "1-4"},
    "V7": {"1": "1-3", "2": "1-4", "3": "1-2", "4": "1-5", "5": "1-2", "6": "1-2"},
    "V8": {"1": "1-2", "2": "1-3", "3": "1", "4": "1"},
    "V9": {"1": "1-3", "2": "1-4"},
    "V10": {"1": "1-2", "2": "1-2", "3": "1-4", "4": "1-11", "5": "1-5", "6": "1-2", "7": "1-3"},
    "V11": {"1": "1-2", "2": "1-3", "3": "1-3", "4": "1-4", "5": "1", "6": "1"},
    "V12": {"1": "1-3", "2": "1-2", "3": "1-4"},
    "V13": {"1": "1", "2": "1-5", "3": "1-2", "4": "1-5"},
    "V14": {"1": "1-2", "2": "1-4", "3": "1-3"},
    "V16": {"1": "1", "2": "1-5", "3": "1-4", "4": "1-3", "5": "1-3"},
}
"""The numbers at levels 1 and 2, by chapter and section, as the standard has them. In each section
those of level 3 come last."""


def _numbers() -> list[str]:
    found: list[str] = []
    for chapter, sections in SECTIONS.items():
        for section, span in sections.items():
            first, _, last = span.partition("-")
            numbers = range(int(first), int(last or first) + 1)
            found += [f"{chapter}.{section}.{number}" for number in numbers]
    return found


def _tables(header: str) -> Iterator[list[str]]:
    """Rows of the page's tables that begin with a header."""
    is_inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if not cells:
            is_inside = False
        elif cells[0] == header:
            is_inside = True
        elif is_inside and not set(cells[0]) <= set("-: "):
            yield cells


ROWS = list(_tables("Requirement"))


def test_every_requirement_has_one_row_in_order() -> None:
    listed = [row[0] for row in ROWS]
    wanted = _numbers()
    twice = [number for number, count in Counter(listed).items() if count > 1]
    assert not twice, f"These have two rows: {twice}"
    assert set(listed) == set(wanted), (
        f"Without a row: {sorted(set(wanted) - set(listed))}; "
        f"not of the standard: {sorted(set(listed) - set(wanted))}"
    )
    assert listed == wanted, "Keep the rows in the order of the standard."


def test_every_row_has_a_state_and_says_why() -> None:
    for row in ROWS:
        assert len(row) == len(HEADERS), row
        assert row[2] in STATES, f"{row[0]}: a state is one of {sorted(STATES)}."
        assert row[1], f"{row[0]}: say what it asks."
        assert row[3], f"{row[0]}: say where, or why."
    counts = Counter((row[0].split(".")[0], row[2]) for row in ROWS)
    for chapter in SECTIONS:
        shown = ", ".join(f"{counts[chapter, state]} {state}" for state in sorted(STATES))
        sys.stdout.write(f"{chapter}: {shown}\n")


def _evidence(cell: str) -> list[tuple[str, str]]:
    """Files that a cell names, each with the test in it, if it names one."""
    found = re.findall(r"`((?:[\w.-]+/)*[\w.-]+)(?:::(\w+))?`", cell)
    return [(path, test) for path, test in found if "/" in path or (ROOT / path).exists() or test]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_a_row_names_is_there(row: list[str]) -> None:
    evidence = _evidence(row[3])
    if row[2] == "met":
        assert evidence, f"{row[0]}: name a test or a file that shows it, or call it open."
    for path, test in evidence:
        file = ROOT / path
        assert file.is_file(), f"{row[0]}: there is no {path}."
        assert path.startswith("tests/") == bool(test), f"{row[0]}: name a test in {path}."
        if test:
            functions = {
                node.name
                for node in ast.walk(tree(file))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert test in functions, f"{row[0]}: {path} has no test {test}."


def test_the_page_counts_its_rows_right() -> None:
    counts = Counter(row[2] for row in ROWS)
    told = re.search(
        r"(\d+) requirements: (\d+) are met, (\d+) are not applicable, (\d+) are open",
        " ".join(PAGE.read_text(encoding="utf-8").split()),
    )
    assert told, "Say how many rows there are of each state."
    expected = (len(ROWS), counts["met"], counts["not applicable"], counts["open"])
    assert tuple(map(int, told.groups())) == expected, f"The counts are {expected}."


def test_who_may_do_what_is_told_as_it_is() -> None:
    listed = {row[0].strip("`"): [bool(cell) for cell in row[1:4]] for row in _tables("Permission")}
    roles = (Role.VIEWER, Role.USER, Role.ADMIN)
    assert listed == {
        str(one): [one in ROLE_PERMISSIONS[role] for role in roles] for one in Permission
    }


def test_the_rules_for_passwords_are_told_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"{MIN_CHARACTERS} to {MAX_CHARACTERS} characters" in text
    for word in LISTED_WORDS:
        assert f"`{word}`" in text
