"""What every command shares: settings from flags, tables or JSON out, plain errors."""

import json
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alexandria.errors import AlexandriaError, UnreadableError
from alexandria.settings import Settings
from alexandria.workflows.progress import Progress
from alexandria.workflows.workspace import Workspace, open_workspace
from pipelines.collector import collect_rarely

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _CalmConsole(Console):
    """Shows control characters as signs: a file's name must not steer the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text as it is shown."""
        return super().render_str(_CONTROLS.sub("\ufffd", text), **options)


out = _CalmConsole()
err = _CalmConsole(stderr=True)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the library. Default: $ALEXANDRIA_HOME or .alexandria."),
]
TenantOption = Annotated[
    str | None,
    typer.Option("--tenant", help="Whose library. Default: $ALEXANDRIA_TENANT_ID or default."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def read_settings(home: Path | None, tenant: str | None = None) -> Settings:
    """Settings from the environment, home and tenant from their flags if they are given.

    Raises:
        BadParameter: No library may be called like the tenant.
    """
    if home is not None:
        os.environ["ALEXANDRIA_HOME"] = str(home)
    settings = Settings()
    if tenant is None:
        return settings
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", tenant):
        raise typer.BadParameter("A tenant has lower-case letters, digits and hyphens.")
    return settings.model_copy(update={"tenant_id": tenant})


@contextmanager
def plain_errors() -> Generator[None]:
    """An error of ours ends the command with its message and exit code 1."""
    try:
        yield
    except AlexandriaError as error:
        err.print(f"[bold red]Error:[/] {error.message}", highlight=False)
        if isinstance(error, UnreadableError):
            err.print(error.advice, highlight=False)
        raise typer.Exit(1) from error


@contextmanager
def opened(
    home: Path | None, progress: Progress | None = None, *, tenant: str | None = None
) -> Generator[Workspace]:
    """The library of the home, with plain errors around whatever is done with it."""
    collect_rarely()
    with plain_errors(), open_workspace(read_settings(home, tenant), progress) as workspace:
        yield workspace


def print_json(value: object) -> None:
    """The value as indented JSON; dataclasses become objects."""
    out.print_json(json.dumps(_plain(value), ensure_ascii=False, default=str))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; numbers are set to the right."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) for row in rows) and bool(rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "" if value is None else str(value).replace("[", r"\[")


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
