"""`alexandria up`: Postgres, the Dagster UI and daemon, and the API, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.error import URLError
from urllib.request import urlopen

import typer

from alexandria.settings import Settings
from alexandria.workflows.identity.owner import is_own_machine, renew_owner_key
from pipelines.cli.console import HomeOption, err, opened, out, read_settings

START_SECONDS = 120
STOP_SECONDS = 60
"""How long a process may take to end; a language model's answer under way may take 30 s."""


@dataclass(frozen=True, slots=True)
class Service:
    """One child process, and the address that answers once it is ready."""

    name: str
    command: Sequence[str]
    ready_url: str | None = None


def up(
    dagster_port: Annotated[
        int | None, typer.Option(help="Port of the Dagster UI. Default: 3000.")
    ] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of the API. Default: 8000.")] = None,
    suggest: Annotated[
        list[str] | None, typer.Option(help="A question to show when ready; repeatable.")
    ] = None,
    no_link: Annotated[
        bool, typer.Option("--no-link", help="Print no link that signs in without a password.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Start everything and keep it running; Ctrl-C or SIGTERM stops it cleanly.

    Example: alexandria up --api-port 8080
    """
    settings = read_settings(home)
    ports = {"dagster_port": dagster_port, "api_port": api_port}
    settings = settings.model_copy(update={key: port for key, port in ports.items() if port})
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(stop, signal.default_int_handler)
    with opened(home) as workspace:
        from pipelines.instance import prepare_dagster_home

        environment = {**os.environ, **prepare_dagster_home(workspace.settings)}
        is_linked = is_own_machine(settings) and not no_link
        make_key = partial(renew_owner_key, workspace) if is_linked else _no_key
        try:
            _serve(settings, environment, suggest or [], make_key)
        except KeyboardInterrupt:
            out.print("Stopped.")


def _no_key() -> None:
    return


SERVING = ("--no-access-log", "--timeout-keep-alive", "75")
"""How uvicorn serves the API: the app writes the log, and a connection that nobody uses stays for
longer than proxies and clients keep one, who else send into one that is just being closed."""


def services(settings: Settings, code_port: int, workspace_file: Path) -> list[Service]:
    """The processes of a running library, in the order they start."""
    host, workspace = settings.api_host, ("--workspace", str(workspace_file))
    code = ("--module-name", "pipelines.definitions", "--host", "127.0.0.1")
    api = ("--host", host, "--port", str(settings.api_port), *SERVING)
    ui = ("--host", host, "--port", str(settings.dagster_port))
    return [
        Service("code", _python("dagster", "api", "grpc", *code, "--port", str(code_port))),
        Service(
            "api",
            _python("uvicorn", "--factory", "serving.app:create_app", *api),
            f"http://{host}:{settings.api_port}/health/ready",
        ),
        Service(
            "webserver",
            _python("dagster_webserver", *ui, *workspace),
            f"http://{host}:{settings.dagster_port}/server_info",
        ),
        Service("daemon", _python("dagster._daemon", "run", *workspace)),
    ]


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _serve(
    settings: Settings,
    environment: Mapping[str, str],
    suggestions: list[str],
    make_key: Callable[[], str | None],
) -> None:
    code_port = _free_port()
    workspace_file = settings.dagster_folder / "workspace.yaml"
    workspace_file.write_text(
        "load_from:\n  - grpc_server:\n      host: 127.0.0.1\n"
        f"      port: {code_port}\n      location_name: alexandria\n",
        encoding="utf-8",
    )
    logs = settings.home.resolve() / "logs"
    logs.mkdir(exist_ok=True)
    for port in (settings.api_port, settings.dagster_port):
        _require_free(settings.api_host, port)
    with ExitStack() as stack:
        running = [
            (service, _start(stack, service, logs, environment))
            for service in services(settings, code_port, workspace_file)
        ]
        _wait_until_ready(running, logs)
        _announce(settings, suggestions, make_key())
        while True:
            _require_alive(running, logs)
            time.sleep(0.5)


def _start(
    stack: ExitStack, service: Service, logs: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches it through us alone, in order."""
    log = stack.enter_context((logs / f"{service.name}.log").open("ab"))
    process = subprocess.Popen(
        service.command, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(
    running: Sequence[tuple[Service, subprocess.Popen[bytes]]], logs: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    for service, _ in running:
        while service.ready_url and not _answers(service.ready_url):
            _require_alive(running, logs)
            if time.monotonic() > deadline:
                err.print(f"[bold red]{service.name} is not ready[/]; see {logs}.")
                raise typer.Exit(1)
            time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310 (our own address)
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def _require_alive(running: Sequence[tuple[Service, subprocess.Popen[bytes]]], logs: Path) -> None:
    for service, process in running:
        if process.poll() is not None:
            err.print(f"[bold red]{service.name} has stopped[/]; see {logs / service.name}.log.")
            raise typer.Exit(1)


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((host, port)) == 0:
            err.print(
                f"[bold red]Port {port} is taken.[/] Choose others with --api-port and "
                "--dagster-port."
            )
            raise typer.Exit(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _announce(settings: Settings, suggestions: list[str], key: str | None) -> None:
    """Say where everything is. A key goes behind "#", which no browser sends or logs."""
    host = settings.api_host
    fragment = f"/#key={key}" if key else ""
    page = f"http://{host}:{settings.api_port}{fragment}"
    out.print("\nAsk the library:  ", end="")
    out.print(page, style="bold", soft_wrap=True, highlight=False)
    if key:
        out.print("                  This link signs you in; it is for nobody else.")
    out.print(f"Watch the graph:  [bold]http://{host}:{settings.dagster_port}[/]")
    if suggestions:
        out.print("\nQuestions to try, there or with `alexandria ask`:")
        for question in suggestions:
            out.print(f"  • {question}", highlight=False)
    out.print("\nCtrl-C stops everything.")
