"""`alexandria sources`: what the library is fed from."""

from pathlib import Path
from typing import Annotated

import typer

from alexandria.workflows.operating.sources import add_source, list_sources, remove_source
from pipelines.cli.console import HomeOption, JsonOption, opened, out, print_json, print_table
from pipelines.cli.ingest import as_module, ingest_source

app = typer.Typer(help="Add, list and remove the folders and files of the library.")


@app.command("add")
def add(
    path: Annotated[Path, typer.Argument(help="A folder or a file.")],
    name: Annotated[str | None, typer.Option(help="Name of the source.")] = None,
    module: Annotated[
        str | None, typer.Option(help="library (default), lms or marketplace.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag; repeatable.")] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(
            help="Who may read it: everyone (default), user:EMAIL, group:NAME, role:NAME; "
            "repeatable."
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a source without running it; `up` or `ingest` brings it in.

    Example: alexandria sources add ~/Notes --name notes --reader user:ines@example.org
    """
    with opened(home) as workspace:
        source = add_source(
            workspace, path, name=name, module=as_module(module), tags=tag, readers=reader
        )
    if as_json:
        print_json(source)
    else:
        out.print(f"Source [bold]{source.name}[/] is {source.location}.", highlight=False)


@app.command("list")
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show every source.

    Example: alexandria sources list --json
    """
    with opened(home) as workspace:
        sources = list_sources(workspace)
    if as_json:
        print_json(sources)
        return
    rows = [
        [
            item.name,
            item.kind,
            item.module,
            ", ".join(item.tags),
            ", ".join(item.readers),
            item.location,
            item.synced_at,
        ]
        for item in sources
    ]
    print_table(
        "Sources", ["Name", "Kind", "Module", "Tags", "Readers", "Location", "Synced"], rows
    )


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="Name of the source.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a source and all its documents out of the library and of both indexes.

    Example: alexandria sources remove notes
    """
    with opened(home) as workspace:
        source = remove_source(workspace, name)
        outcome = ingest_source(workspace, source)
    if as_json:
        print_json({"source": name, "run_id": outcome.run_id, "is_success": outcome.is_success})
    else:
        out.print(f"Source [bold]{name}[/] and its documents are out of the library.")
    if not outcome.is_success:
        raise typer.Exit(1)
