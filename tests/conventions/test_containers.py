"""`docker-compose.yml` and `Dockerfile`, as far as they can be held without a container engine.

No engine runs these files here. What is held: their structure, that every command in them
exists and takes its options, that every variable is a setting, and that no secret is written.
`test_container_commands.py` runs the commands themselves.
"""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from house_files import ROOT

from alexandria.adapters.identity.ciphers import new_key
from alexandria.production import check_production
from alexandria.settings import Settings
from pipelines.cli.up import STOP_SECONDS
from pipelines.cli.up import services as services_of_up

COMPOSE = ROOT / "docker-compose.yml"
OURS = ("migrate", "code", "webserver", "daemon", "api")
ONE_SHOT = ("migrate",)
"""Ends by itself; others wait for its success, so it needs no health check."""

MINIMUM_QDRANT = (1, 19)
BIN = Path(sys.executable).parent
SUBCOMMANDS = {"dagster": 2, "dagster-daemon": 1}
"""How many words after the program choose what it does."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The parsed file."""
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its services by name."""
    return compose["services"]


def test_the_services_are_those_of_a_whole_library(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"postgres", "qdrant", *OURS}


def test_our_services_run_one_image(services: dict[str, dict[str, Any]]) -> None:
    assert len({services[name]["image"] for name in OURS}) == 1
    built = [name for name, service in services.items() if "build" in service]
    assert built == ["migrate"], "Build the image in one place, or it is built five times."


def test_images_of_others_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    repository, _, tag = services["postgres"]["image"].partition(":")
    assert repository == "pgvector/pgvector"
    assert re.match(r"\d+\.\d+\.\d+-pg18", tag), "The embedded default is PostgreSQL 18 as well."
    repository, _, tag = services["qdrant"]["image"].partition(":")
    assert repository == "qdrant/qdrant"
    version = tuple(int(part) for part in tag.removeprefix("v").split("."))
    assert len(version) == 3, "Pin all three numbers."
    assert version >= MINIMUM_QDRANT, "The adapter asks for statistics that 1.19 introduced."


def test_every_lasting_service_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
            continue
        check = service["healthcheck"]
        assert check["test"][0] in {"CMD", "CMD-SHELL"}, name
        assert {"interval", "timeout", "retries", "start_period"} <= set(check), name


def test_nothing_starts_before_what_it_needs(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        needs = services[name]["depends_on"]
        for other, condition in needs.items():
            wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert condition == {"condition": wanted}, f"{name} waits for {other}"
        assert name in ONE_SHOT or "migrate" in needs
    assert set(services["migrate"]["depends_on"]) == {"postgres", "qdrant"}


def test_variables_are_settings(services: dict[str, dict[str, Any]]) -> None:
    known = {f"ALEXANDRIA_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        given = {key for key in services[name]["environment"] if key.startswith("ALEXANDRIA_")}
        assert given <= known, f"{name}: nothing reads {given - known}."
        assert {"ALEXANDRIA_QDRANT_URL", "ALEXANDRIA_HOME", "ALEXANDRIA_SECRET_KEYS"} <= given
        owned = {"ALEXANDRIA_DATABASE_URL", "ALEXANDRIA_DAGSTER_DATABASE_URL"}
        assert given & owned == (set() if name == "api" else owned), name


def _filled(services: dict[str, dict[str, Any]], name: str) -> dict[str, str]:
    """The environment of a service, with what somebody might write into `.env`."""
    written = {
        "PUBLIC_URL": "https://library.example.org",
        "REGISTRATION": "closed",
        "SECRET_KEYS": json.dumps([new_key()]),
    }
    return {
        key: re.sub(r"\$\{(\w+)[^}]*\}", lambda asked: written.get(asked[1], "4f1d9c0e7a"), value)
        for key, value in services[name]["environment"].items()
    }


def test_the_api_is_fit_for_production(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in _filled(services, "api").items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    assert settings.environment == "production"
    check_production(settings)


def test_the_api_may_finish_its_answers_before_it_is_killed(
    services: dict[str, dict[str, Any]],
) -> None:
    longest = Settings.model_fields["llm_timeout_seconds"].default
    assert services["api"]["stop_grace_period"] == f"{STOP_SECONDS}s"
    assert longest < STOP_SECONDS


def test_the_api_has_nothing_of_the_owner(services: dict[str, dict[str, Any]]) -> None:
    given = str({**services["api"], "depends_on": None})
    assert "//alexandria_api:" in given
    assert "//alexandria:" not in given
    assert "${POSTGRES_PASSWORD" not in given
    serving = [services[name]["environment"] for name in ("migrate", "api")]
    addresses = {one["ALEXANDRIA_SERVING_DATABASE_URL"] for one in serving}
    assert len(addresses) == 1, "What `migrate` sets is what the API signs in with."


def test_no_secret_is_written_down() -> None:
    text = COMPOSE.read_text(encoding="utf-8") + (ROOT / ".env.example").read_text(encoding="utf-8")
    asked = re.findall(r"\$\{([^}]*)\}", text)
    assert asked
    lenient = [item for item in asked if ":?" not in item]
    assert not lenient, f"Use ${{NAME:?what to do}}, which refuses to start without: {lenient}"
    rest = re.sub(r"\$\{[^}]*\}", "", text)
    written = re.findall(r"(?im)^.*(?:password|api_?key|secret|token)\w*[:=] *[^\s\"'].*$", rest)
    assert not written, f"Ask for these through .env: {written}"
    assert not re.search(r"://\w+:\w+@", rest), "An address holds a password."


def test_what_the_file_asks_for_is_in_the_example(services: dict[str, dict[str, Any]]) -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text(encoding="utf-8")))
    offered = set(
        re.findall(r"(?m)^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"))
    )
    assert asked <= offered, f"Name these in .env.example: {asked - offered}"


def test_only_this_machine_reaches_the_ports(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), (
                f"{name}: Dagster has no accounts, and the API wants a proxy for https ({port})."
            )


def test_files_that_are_mounted_exist(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        for volume in service.get("volumes", []):
            place = volume.split(":")[0]
            assert not place.startswith("./") or (ROOT / place).exists(), place


def _commands(services: dict[str, dict[str, Any]]) -> list[list[str]]:
    commands = [list(services[name]["command"]) for name in OURS if name not in ONE_SHOT]
    checks = [services[name]["healthcheck"]["test"] for name in OURS if name not in ONE_SHOT]
    return commands + [list(check[1:]) for check in checks]


def _help(program: str, subcommands: list[str]) -> str:
    assert (BIN / program).exists(), f"{program} is not installed."
    return subprocess.run(
        [str(BIN / program), *subcommands, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "NO_COLOR": "1", "DO_NOT_TRACK": "1"},
    ).stdout


def test_commands_exist_and_take_their_options(services: dict[str, dict[str, Any]]) -> None:
    """Each is asked for its help; every option it is given must stand there."""
    for program, *arguments in _commands(services):
        if program == "python":
            ast.parse(arguments[arguments.index("-c") + 1])
            continue
        words = [word for word in arguments if not word.startswith("-")]
        explained = _help(program, words[: SUBCOMMANDS.get(program, 0)])
        options = {word.partition("=")[0] for word in arguments if word.startswith("-")}
        missing = {option for option in options if option not in explained}
        assert not missing, f"{program} {' '.join(arguments)}: it does not take {missing}."


def test_the_processes_are_those_of_up(services: dict[str, dict[str, Any]]) -> None:
    """`up` starts the same four; the acceptance tests of `up` stand for both."""
    same = {
        "code": "dagster.api.grpc",
        "api": "serving.app:create_app",
        "webserver": "webserver",
        "daemon": "daemon",
    }
    started = services_of_up(Settings(), 4000, Path("workspace.yaml"))
    assert {service.name for service in started} == set(same)
    for service in started:
        ours = re.sub(r"[ _-]+", ".", " ".join(services[service.name]["command"]))
        theirs = re.sub(r"[ _-]+", ".", " ".join(service.command))
        needle = re.sub(r"[ _-]+", ".", same[service.name])
        assert needle in ours, f"{service.name}: {ours}"
        assert needle in theirs, f"{service.name}: {theirs}"


def test_the_code_server_is_where_the_workspace_file_says(
    services: dict[str, dict[str, Any]],
) -> None:
    workspace = yaml.safe_load((ROOT / "deploy" / "workspace.yaml").read_text(encoding="utf-8"))
    [server] = [item["grpc_server"] for item in workspace["load_from"]]
    command = services["code"]["command"]
    assert server["host"] == "code"
    assert str(server["port"]) == command[command.index("--port") + 1]
    for name in ("webserver", "daemon"):
        assert "deploy/workspace.yaml" in services[name]["command"]


def test_the_image_is_built_in_stages_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = re.findall(r"(?m)^FROM (\S+)(?: AS (\w+))?$", text)
    assert len(stages) >= 2
    last = text[text.rindex("\nFROM ") :]
    assert re.search(r"(?m)^USER (?!root|0)\w+", last), "Run as a user of its own."
    assert "alexandria models export" in text, "Without the model no container answers."
    assert "dbt" in text
    assert "parse" in text, "Definitions do not load without dbt's manifest."
    assert "EXPOSE" not in text or "USER" in last
