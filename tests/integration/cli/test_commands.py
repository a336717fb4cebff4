"""Every command does what its help says, prints the same for people and machines, and is plain
about what went wrong."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from typer.main import get_command
from typer.testing import Result

Cli = Callable[..., Result]
Write = Callable[[Path, str], Path]

COMMANDS = (
    "up",
    "ingest",
    "ask",
    "status",
    "verify",
    "evaluate",
    "sources add",
    "sources list",
    "sources remove",
    "documents list",
    "documents show",
    "documents delete",
    "index list",
    "index rebuild",
    "index switch",
    "index retire",
    "models export",
    "migrate",
    "users add",
    "users list",
    "users change",
    "users password",
    "keys show",
    "keys rotate",
    "keys retire",
    "audit list",
    "audit verify",
)


def test_ingest_brings_a_folder_in_and_a_second_one_says_that_nothing_is_new(
    cli: Cli, shelf: Path
) -> None:
    (first,) = _json(cli("ingest", shelf, "--json"))
    second = cli("ingest", shelf)
    assert (first["source"], first["is_success"], first["is_unchanged"]) == ("shelf", True, False)
    assert (first["status"]["published"], first["status"]["quarantined"]) == (2, 1)
    assert second.exit_code == 0
    assert "nothing new; no document was touched" in second.stdout


def test_status_verify_and_the_lists_show_what_was_brought_in(cli: Cli, town: Path) -> None:
    status = _json(cli("status", "--json"))
    assert [(item["name"], item["published"]) for item in status["sources"]] == [("town", 2)]
    (entry,) = status["quarantine"]
    assert (entry["path"], entry["code"]) == ("empty.txt", "empty_file")
    assert _json(cli("verify", "--json"))["is_sound"]
    (source,) = _json(cli("sources", "list", "--json"))
    assert (source["name"], source["tags"]) == ("town", ["local"])
    paths = [item["path"] for item in _json(cli("documents", "list", "--json"))]
    assert paths == ["bakery.md", "empty.txt", "lighthouse.txt"]
    (generation,) = _json(cli("index", "list", "--json"))
    assert (generation["state"], generation["entry_count"]) == ("live", 2)
    for command in ("status", "verify", "sources list", "documents list", "index list"):
        shown = cli(*command.split())
        assert shown.exit_code == 0
        assert shown.stdout.strip()
    assert "empty.txt" in cli("status").stdout


def test_status_and_a_document_say_how_much_is_missing_and_why(cli: Cli, town: Path) -> None:
    status = _json(cli("status", "--json"))
    (standing,) = status["sources"]
    assert standing["coverage"]["found"] == standing["coverage"]["indexed"] == 2
    (reason,) = status["reasons"]
    assert (reason["code"], reason["documents"], reason["units"]) == ("empty_file", 1, 0)
    assert "Why parts are missing" in cli("status").stdout
    ids = {item["path"]: item["document_id"] for item in _documents(cli)}
    assert "no bytes" in cli("documents", "show", ids["empty.txt"]).stdout
    assert "1 of 1 indexed" in cli("documents", "show", ids["bakery.md"]).stdout


def test_ask_quotes_the_document_character_for_character(cli: Cli, town: Path) -> None:
    answered = _json(cli("ask", "Who kept the lighthouse?", "--json"))
    assert answered["is_answered"]
    (document,) = [
        item for item in _json(cli("documents", "list", "--json")) if "light" in item["path"]
    ]
    text = (town / "lighthouse.txt").read_text().strip()
    for citation in answered["citations"]:
        assert citation["document_id"] == document["document_id"]
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    spoken = cli("ask", "Who kept the lighthouse?")
    assert "Hester Lowe kept the lighthouse for thirty years. [1]" in spoken.stdout
    assert "lighthouse.txt" in spoken.stdout


def test_a_document_is_shown_with_what_is_wrong_and_stays_out_once_deleted(
    cli: Cli, town: Path
) -> None:
    ids = {item["path"]: item["document_id"] for item in _documents(cli)}
    shown = _json(cli("documents", "show", ids["bakery.md"], "--json"))
    assert shown["document"]["title"] == "The bakery"
    assert "The bakery" in cli("documents", "show", ids["bakery.md"]).stdout
    assert cli("documents", "delete", ids["bakery.md"]).exit_code == 0
    cli("ingest", town)
    assert [item["path"] for item in _documents(cli)] == ["empty.txt", "lighthouse.txt"]
    assert _json(cli("verify", "--json"))["is_sound"]


def test_sources_are_added_without_a_run_and_removed_with_their_documents(
    cli: Cli, shelf: Path
) -> None:
    added = _json(cli("sources", "add", shelf, "--name", "My Town", "--module", "lms", "--json"))
    assert (added["name"], added["module"], added["synced_at"]) == ("my-town", "lms", None)
    assert _documents(cli) == []
    cli("ingest", shelf)
    (source,) = _json(cli("sources", "list", "--json"))
    assert (source["name"], source["module"]) == ("my-town", "lms")
    assert len(_documents(cli)) == 3
    assert cli("sources", "remove", "my-town").exit_code == 0
    assert _documents(cli) == []
    assert _json(cli("sources", "list", "--json")) == []


def test_an_index_is_rebuilt_switched_to_and_the_old_one_retired(
    cli: Cli, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = _json(cli("index", "list", "--json"))
    chunking = '{"library": {"kind": "recursive", "max_characters": 60}}'
    monkeypatch.setenv("ALEXANDRIA_CHUNKING", chunking)
    built = _json(cli("index", "rebuild", "--json"))
    assert built["reasons"] == []
    assert _json(cli("index", "switch", built["generation_id"], "--json"))["state"] == "live"
    assert cli("index", "retire", old["generation_id"]).exit_code == 0
    (live,) = _json(cli("index", "list", "--json"))
    assert live["generation_id"] == built["generation_id"]
    assert _json(cli("ask", "Who kept the lighthouse?", "--json"))["is_answered"]


def test_evaluate_scores_each_search_on_a_labelled_set(cli: Cli, tmp_path: Path) -> None:
    labelled = tmp_path / "tiny"
    labelled.mkdir()
    texts = {"a": "The lighthouse was kept by Hester Lowe.", "b": "The bakery opens at five."}
    rows = [{"doc_id": key, "title": "", "text": text} for key, text in texts.items()]
    (labelled / "corpus.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    queries = [{"query_id": "1", "text": "Who kept the lighthouse?"}]
    (labelled / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in queries))
    (labelled / "qrels.tsv").write_text("query_id\tdoc_id\trelevance\n1\ta\t1\n")
    scores = _json(cli("evaluate", labelled, "--home", tmp_path / "scratch", "--json"))["scores"]
    assert {side: score["ndcg_at_10"] for side, score in scores.items()} == {
        "dense": 1.0,
        "bm25": 1.0,
        "hybrid": 1.0,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ingest", "/nowhere/at/all"), "There is no file or folder at /nowhere/at/all."),
        (("evaluate", "/nowhere/at/all"), "is no labelled set"),
        (("documents", "show", "not-an-id"), "not-an-id is not an id"),
        (
            ("documents", "show", "00000000-0000-5000-8000-000000000000"),
            "`alexandria documents list` shows them",
        ),
        (("sources", "remove", "nobody"), "No source is named nobody"),
        (("index", "switch", "nothing"), "No generation nothing"),
        (("ask", "Who?", "--source", "nobody"), "No source is named nobody"),
    ],
)
def test_what_is_not_there_ends_with_exit_code_1_and_one_plain_sentence(
    cli: Cli, arguments: tuple[str, ...], words: str
) -> None:
    result = cli(*arguments)
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_an_unsound_library_ends_verify_with_exit_code_1(
    cli: Cli, town: Path, environment: dict[str, str]
) -> None:
    with psycopg.connect(environment["ALEXANDRIA_DATABASE_URL"]) as connection:
        connection.execute("DELETE FROM knowledge.index_entries")
    result = cli("verify")
    assert result.exit_code == 1
    assert "WRONG" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_shows_an_example(cli: Cli, command: str) -> None:
    result = cli(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"alexandria {command}" in " ".join(result.stdout.split())


def test_every_command_is_tested_here() -> None:
    from pipelines.cli.main import app

    names: list[str] = []
    for name, command in vars(get_command(app))["commands"].items():
        inner = vars(command).get("commands")
        names += [f"{name} {each}" for each in inner] if inner else [name]
    assert sorted(names) == sorted(COMMANDS)


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that the user of an embedded Postgres may enter; the servers in it are stopped."""
    with tempfile.TemporaryDirectory(prefix="alexandria-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        for running in Path(folder).glob("*/postgres/postmaster.pid"):
            server = psutil.Process(int(running.read_text().split()[0]))
            server.send_signal(signal.SIGINT)
            server.wait(60)


def test_two_homes_are_two_libraries(
    cli: Cli, outside: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each starts a Postgres of its own."""
    begun = {"one": ("ingest",), "two": ("sources", "add")}
    held = {"one": ["one.txt"], "two": []}
    monkeypatch.delenv("ALEXANDRIA_DATABASE_URL")
    monkeypatch.delenv("ALEXANDRIA_DAGSTER_DATABASE_URL")
    for name in ("one", "two"):
        write(outside / name / f"{name}.txt", f"This is the library number {name}.\n")
    for name in ("one", "two"):
        monkeypatch.delenv("ALEXANDRIA_DATABASE_URL", raising=False)
        monkeypatch.delenv("ALEXANDRIA_DAGSTER_DATABASE_URL", raising=False)
        home = ("--home", outside / f"home-{name}")
        assert cli(*begun[name], outside / name, *home).exit_code == 0
        assert [item["path"] for item in _documents(cli, *home)] == held[name]
        (source,) = _json(cli("sources", "list", "--json", *home))
        assert source["name"] == name
    assert (outside / "home-one/postgres").is_dir()
    assert (outside / "home-two/postgres").is_dir()


def test_the_installed_command_answers_in_a_process_of_its_own(
    environment: dict[str, str], shelf: Path
) -> None:
    command = Path(sys.executable).with_name("alexandria")
    result = subprocess.run(
        [command, "ingest", shelf / "nowhere", "--home", shelf / "home"],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "There is no file or folder" in result.stderr


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _documents(cli: Cli, *options: object) -> Any:
    return _json(cli("documents", "list", "--json", *options))
