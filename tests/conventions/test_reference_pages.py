"""Pages that list something of the code list all of it, and nothing else.

`docs/settings.md`, `docs/errors.md` and `docs/formats.md` hold tables. Each row is compared
with the code, both ways.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_files import ROOT, module_names, modules, shown, tree

from alexandria import errors
from alexandria.errors import AlexandriaError, UnreadableError
from alexandria.knowledge.parsing import SUPPORTED
from alexandria.knowledge.parsing.drafts import EMPTY_UNIT
from alexandria.knowledge.parsing.formats import REFUSED
from alexandria.knowledge.parsing.pictures.pdf_pages import WORDLESS_PAGE
from alexandria.settings import Settings
from serving.errors import describe_error
from serving.schemas.problems import Problem

DOCS = ROOT / "docs"
READING_LIMITS = ("max_file_bytes", "reading_seconds", "reading_memory_bytes")
"""Settings that limit what a file may cost."""


def table_rows(page: Path, first_header: str) -> list[list[str]]:
    """Cells of the tables of a Markdown page whose first column has that header."""
    rows: list[list[str]] = []
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [
            cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]
        ]
        if not cells:
            inside = False
        elif cells[0] == first_header:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
    return rows


def plain(cell: str) -> str:
    """A cell without its code marks."""
    return cell.replace("`", "")


def error_classes() -> dict[str, type[AlexandriaError]]:
    """Every class of the error tree by name."""
    return {
        name: item
        for name, item in inspect.getmembers(errors, inspect.isclass)
        if issubclass(item, AlexandriaError)
    }


def default_of(name: str) -> str:
    """A setting's default as the page shows it."""
    if name == "model_folder":
        return "share/alexandria/models in the Python environment"
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    return {None: "unset", (): "empty"}.get(default, str(default)) if default != {} else "empty"


def test_settings_are_all_listed() -> None:
    listed = {plain(row[0]): plain(row[1]) for row in table_rows(DOCS / "settings.md", "Variable")}
    wanted = {f"ALEXANDRIA_{name.upper()}": default_of(name) for name in Settings.model_fields}
    assert listed == wanted, "Bring the tables in docs/settings.md in line with Settings."


def test_settings_are_described_in_the_words_of_the_code() -> None:
    listed = {plain(row[0]): plain(row[2]) for row in table_rows(DOCS / "settings.md", "Variable")}
    for name, field in Settings.model_fields.items():
        assert field.description, f"Settings.{name}: describe it with Field(description=…)."
        assert listed.get(f"ALEXANDRIA_{name.upper()}") == plain(field.description)


def test_the_example_environment_names_only_settings() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"ALEXANDRIA_\w+", text))
    unknown = named - {f"ALEXANDRIA_{name.upper()}" for name in Settings.model_fields}
    assert not unknown, f".env.example names variables that nothing reads: {unknown}"


def test_errors_are_all_listed() -> None:
    listed = {plain(row[0]): plain(row[1]) for row in table_rows(DOCS / "errors.md", "Error")}
    wanted = {name: item.code for name, item in error_classes().items()}
    assert listed == wanted, "Bring the tables in docs/errors.md in line with alexandria/errors.py."


def test_errors_are_described_in_the_words_of_the_code() -> None:
    rows = table_rows(DOCS / "errors.md", "Error")
    messages = {plain(row[0]): plain(row[2]) for row in rows}
    advice = {plain(row[0]): plain(row[3]) for row in rows if len(row) > 3}
    for name, item in error_classes().items():
        assert messages.get(name) == plain(item().message)
        if issubclass(item, UnreadableError):
            assert advice.get(name) == plain(item.advice), (
                f"{name}: docs/errors.md lacks its advice."
            )


def answered(item: type[AlexandriaError]) -> list[str]:
    """Status, title and wait of an error, as the API answers it."""
    problem = describe_error(item(), instance="/", request_id="")
    wait = "" if problem.retry_after is None else str(problem.retry_after)
    is_told_each_time = issubclass(item, errors.RateLimitedError)
    return [
        str(problem.status),
        problem.title,
        "until the window ends" if is_told_each_time else wait,
    ]


def test_every_error_is_answered_as_the_page_says() -> None:
    listed = {plain(row[0]): row[1:] for row in table_rows(DOCS / "errors.md", "Class")}
    assert listed["AlexandriaError"] == answered(AlexandriaError)
    for name, item in error_classes().items():
        nearest = next(one.__name__ for one in item.__mro__ if one.__name__ in listed)
        assert listed[nearest] == answered(item), f"{name}: correct the statuses in docs/errors.md."


def test_every_class_that_has_a_status_of_its_own_is_listed() -> None:
    rows = [plain(row[0]) for row in table_rows(DOCS / "errors.md", "Class")]
    own = tree(ROOT / "serving" / "errors.py")
    kinds = next(
        node.value
        for node in own.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_KINDS"
    )
    assert isinstance(kinds, ast.Dict)
    assert rows == [ast.unparse(key).split(".")[-1] for key in kinds.keys if key is not None]


def test_every_field_of_an_error_is_told_in_the_words_of_the_code() -> None:
    rows = table_rows(DOCS / "errors.md", "Field")
    listed = {plain(row[0]): plain(row[1]) for row in rows}
    fields = Problem.model_fields.items()
    assert listed == {name: plain(field.description or "") for name, field in fields}


@pytest.mark.parametrize("item", error_classes().values(), ids=lambda item: item.__name__)
def test_the_first_line_of_an_error_is_a_message(item: type[AlexandriaError]) -> None:
    message = (item.__doc__ or "").split("\n")[0]
    assert message[:1].isupper(), "A message begins with a capital letter."
    assert message.endswith("."), "A message is a sentence and fits on one line."
    assert len(message.split()) >= 3


def test_error_codes_are_unique() -> None:
    codes = [item.code for item in error_classes().values()]
    assert len(set(codes)) == len(codes)


def test_the_tree_drawn_on_top_of_the_errors_is_the_tree() -> None:
    drawn = re.findall(r"^\W*(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    assert set(drawn) == set(error_classes())


def test_formats_are_all_listed() -> None:
    listed = [
        [plain(cell) for cell in row[:4]] for row in table_rows(DOCS / "formats.md", "Format")
    ]
    wanted = [
        [
            one.label,
            ", ".join(f".{item}" for item in one.extensions),
            one.media_type,
            one.unit.value,
        ]
        for one in SUPPORTED
    ]
    assert listed == wanted, "Bring the table in docs/formats.md in line with SUPPORTED, in order."


def test_kinds_that_are_known_and_not_read_are_listed_with_their_advice() -> None:
    rows = table_rows(DOCS / "formats.md", "Known, not read")
    listed = {plain(kind): (reason, advice) for kind, reason, advice in rows}
    assert listed == REFUSED, "Bring the table in docs/formats.md in line with REFUSED."


def codes_given_to(name: str) -> Iterator[tuple[str, str]]:
    """The codes that calls of `Note` or `Problem` write out, and where.

    A code that comes from something else, such as an error's own, is listed there.
    """
    for path in modules():
        for node in ast.walk(tree(path)) if path.is_relative_to(ROOT / "alexandria") else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                keywords = [item.value for item in node.keywords if item.arg == "code"]
                code = (node.args or keywords)[0]
                if isinstance(code, ast.Constant):
                    yield str(code.value), f"{shown(path)}:{node.lineno}"
                else:
                    assert isinstance(code, ast.Attribute), (
                        f"{shown(path)}:{node.lineno}: write the code out, so that it is found."
                    )


def test_quarantine_codes_are_all_listed_in_the_words_of_the_code() -> None:
    listed = [[plain(cell) for cell in row[:3]] for row in table_rows(DOCS / "formats.md", "Code")]
    unreadable = [
        [item.code, plain(item().message), plain(item.advice)]
        for item in error_classes().values()
        if issubclass(item, UnreadableError)
    ]
    units = [[one.code, one.reason, one.advice] for one in (EMPTY_UNIT, WORDLESS_PAGE)]
    assert sorted(listed) == sorted(unreadable + units), (
        "Bring the table of codes in docs/formats.md in line with alexandria/errors.py."
    )
    unlisted = [
        place for code, place in codes_given_to("Problem") if code not in {row[0] for row in listed}
    ]
    assert not unlisted, f"docs/formats.md lists no such code: {unlisted}"


def test_note_codes_are_all_listed() -> None:
    listed = [plain(row[0]) for row in table_rows(DOCS / "formats.md", "Note")]
    given = dict(codes_given_to("Note"))
    assert set(given) == set(listed), (
        f"Bring the table of notes in docs/formats.md in line with the readers: "
        f"{sorted(set(given) ^ set(listed))}"
    )
    assert listed == sorted(set(listed)), "Keep the notes in order, each once."


def reading_limits() -> dict[str, object]:
    """Every constant `MAX_…` of the readers, and the settings that limit reading, by name."""
    found: dict[str, object] = {
        f"ALEXANDRIA_{name.upper()}": Settings.model_fields[name].default for name in READING_LIMITS
    }
    for name in module_names():
        if name.startswith("alexandria.knowledge.parsing."):
            module = importlib.import_module(name)
            path = Path(str(module.__file__))
            for node in tree(path).body:
                targets = node.targets if isinstance(node, ast.Assign) else []
                for target in targets:
                    constant = ast.unparse(target)
                    if constant.startswith("MAX_"):
                        found[f"{path.stem}.{constant}"] = getattr(module, constant)
    return found


def as_shown(value: object) -> str:
    """A limit as the page shows it."""
    assert isinstance(value, int | float)
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if value >= size and value % size == 0:
            return f"{value // size} {unit}"
    return f"{value:,.15g}"


def test_limits_are_all_listed() -> None:
    rows = table_rows(DOCS / "formats.md", "Limit")
    listed = {plain(row[0]): plain(row[1]) for row in rows}
    wanted = {name: as_shown(value) for name, value in reading_limits().items()}
    assert listed == wanted, "Bring the table of limits in docs/formats.md in line with the code."
