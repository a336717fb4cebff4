"""README and docs: short, true to the code, free of dead links and of anybody's machine."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from house_files import ROOT, shown, tracked_files

from pipelines.cli.main import app

README = ROOT / "README.md"
PAGES = (README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
README_LINES = 150
FIRST_ANSWER_LINE = 30

FOREIGN = {
    "a path of one machine": re.compile(r"(?<![\w./-])/(?:work|root|home/(?!\.))\b/\S"),
    "a package registry's address": re.compile(
        r"https?://[\w.-]*(?:pypi|pythonhosted|pytorch\.org/whl|npmjs|artifactory|nexus)"
    ),
    "an index option": re.compile(r"--(?:extra-)?index-url|--find-links"),
}
"""What never goes into the repository."""

TEXTS = {".md", ".py", ".toml", ".txt", ".yml", ".yaml", ".sql", ".sh", ".cfg", ".html", ".js", ""}


def _visible(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _code(text: str) -> list[str]:
    """Lines of code blocks, and inline code."""
    blocks = re.findall(r"(?ms)^```\w*\n(.*?)^```", text)
    indented = re.findall(r"(?m)^ {4}(\S.*)$", text)
    prose = re.sub(r"(?ms)^```.*?^```", "", text)
    return (
        [line for block in blocks for line in block.splitlines()]
        + indented
        + re.findall(r"`([^`\n]+)`", prose)
    )


def test_the_readme_is_short() -> None:
    assert len(_visible(README).splitlines()) <= README_LINES


def test_the_first_answer_comes_early() -> None:
    lines = _visible(README).splitlines()[:FIRST_ANSWER_LINE]
    assert any("make run" in line for line in lines)
    assert any("alexandria ask" in line for line in lines), (
        f"A reader sees the first question within {FIRST_ANSWER_LINE} lines."
    )


def _targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_make_target_exists(page: Path) -> None:
    named = {
        match
        for code in _code(_visible(page))
        for match in re.findall(r"^make ([a-z]+)\b", code.strip())
    }
    assert named <= _targets(), f"{shown(page)} names targets that the Makefile lacks."


def _commands_of(code: str) -> list[list[str]]:
    """Arguments of each `alexandria …` in a line of code."""
    found = re.findall(
        r"(?:^|[\s;&|(/])alexandria ((?:[a-z]|-)[^|;&#`)]*)",
        code.replace("…", "").replace("...", ""),
    )
    return [shlex.split(item.replace("[", "").replace("]", "")) for item in found]


def _check_command(arguments: list[str]) -> None:
    """Walk down to the command and find each option it is given.

    Raises:
        AssertionError: There is no such command or option.
    """
    command, path, words = _root(), "alexandria", list(arguments)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        assert name in command.commands, f"there is no command {path} {name}"
        command, path = command.commands[name], f"{path} {name}"
    options = {"--help"} | {
        option for item in command.params for option in (*item.opts, *item.secondary_opts)
    }
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in options, f"{path} has no {word}"


def _root() -> Any:
    return typer.main.get_command(app)


def _claimed(path: Path) -> list[list[str]]:
    return [item for code in _code(_visible(path)) for item in _commands_of(code)]


@pytest.mark.parametrize(
    "wrong", ["alexandria sing", "alexandria ask --loud", "alexandria index no"]
)
def test_a_wrong_command_is_noticed(wrong: str) -> None:
    [arguments] = _commands_of(wrong)
    with pytest.raises(AssertionError, match="no "):
        _check_command(arguments)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_command_exists(page: Path) -> None:
    for arguments in _claimed(page):
        _check_command(arguments)


def test_the_makefile_calls_commands_that_exist() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"\$\(BIN\)/alexandria (.+)", text):
        _check_command(shlex.split(line))


def test_every_command_is_in_the_readme_and_has_an_example() -> None:
    readme = _visible(README)
    for name, item in _root().commands.items():
        if item.hidden:
            continue
        assert f"alexandria {name}" in readme, f"Name `alexandria {name}` in the table of commands."
        leaves = getattr(item, "commands", {name: item}).values()
        for leaf in leaves:
            assert "Example: " in (leaf.help or ""), f"{name}: show an example in its help."
            _check_command(shlex.split(_example(leaf.help or ""))[1:])


def _example(text: str) -> str:
    line = text.split("Example: ", 1)[1].splitlines()[0]
    return re.sub(r"^(?:[A-Z_]+='[^']*' )+", "", line).split(" && ")[0]


def _links(text: str) -> list[str]:
    prose = re.sub(r"(?ms)^```.*?^```", "", text)
    return re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", prose)


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"(?m)^#+ (.+)$", _visible(page))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _links(_visible(page)):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{shown(page)}: {link} leads nowhere."
        assert not anchor or anchor in _headings(target), f"{shown(page)}: no heading for {link}."


PATH_LIKE = re.compile(
    r"^(?:alexandria|assets|pipelines|serving|dbt|tests|docs|deploy|bench|sample|\.ci)/[\w./-]*$"
)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = {code.rstrip("/") for code in _code(_visible(page)) if PATH_LIKE.match(code)}
    missing = {
        name for name in named if not (ROOT / name).exists() and not name.startswith("dbt/target")
    }
    assert not missing, f"{shown(page)} names files that are not there: {missing}"


def test_no_page_is_an_orphan() -> None:
    reached, todo = set[Path](), [README]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        todo += [
            (page.parent / link.partition("#")[0]).resolve()
            for link in _links(_visible(page))
            if not re.match(r"[a-z]+:", link) and link.partition("#")[0]
        ]
    orphans = [shown(page) for page in PAGES if page not in reached]
    assert not orphans, f"Link these from the README or from a page that it links: {orphans}"


def test_decisions_are_numbered_and_complete() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04d}" for n in range(1, len(pages) + 1)]
    for page in pages:
        headings = re.findall(r"(?m)^## (.+)$", _visible(page))
        assert headings == ["Context", "Decision", "Consequences"], f"{shown(page)}: {headings}"


def test_the_structure_map_is_the_structure() -> None:
    """Every package folder stands in the map, and every folder in the map exists."""
    text = _visible(ROOT / "docs" / "architecture.md")
    block = re.search(r"(?ms)^## The folders\n.*?^```\w*\n(.*?)^```", text)
    assert block, "docs/architecture.md holds the map in a code block under `## The folders`."
    drawn = set(re.findall(r"(?m)^([\w.]+(?:/[\w.]+)*)/", block[1]))
    packages = {
        shown(path.parent)
        for path in tracked_files()
        if path.suffix in {".py", ".sql", ".yml"}
        and shown(path).split("/")[0] in {"alexandria", "assets", "pipelines", "serving"}
    }
    assert packages <= drawn, f"Draw these folders in the map: {sorted(packages - drawn)}"
    gone = {name for name in drawn if not (ROOT / name).is_dir()}
    assert not gone, f"These folders in the map do not exist: {gone}"


def test_nothing_names_a_machine_or_a_registry() -> None:
    found = [
        f"{shown(path)}:{number} {what}: {line.strip()[:80]}"
        for path in tracked_files()
        if path.suffix in TEXTS and path.name != Path(__file__).name
        for number, line in enumerate(_lines(path), start=1)
        for what, pattern in FOREIGN.items()
        if pattern.search(line)
    ]
    assert not found, "Say it without the address:\n" + "\n".join(found)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
