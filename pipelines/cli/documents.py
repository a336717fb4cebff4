"""`alexandria documents`: what is in the library."""

from typing import Annotated

import typer

from alexandria.workflows.reading.documents import delete_document, list_documents, read_document
from pipelines.cli.console import HomeOption, JsonOption, opened, out, print_json, print_table
from pipelines.cli.ingest import ingest_source

app = typer.Typer(help="List, show and delete documents.")

DocumentArgument = Annotated[str, typer.Argument(help="Id, as `documents list` shows it.")]


@app.command("list")
def show_all(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the documents of the library.

    Example: alexandria documents list --source books
    """
    with opened(home) as workspace:
        documents = list_documents(workspace, source=source, limit=limit)
    if as_json:
        print_json(documents)
        return
    rows = [
        [
            item.document_id,
            item.source_name,
            item.path,
            item.title,
            item.language,
            item.state,
            item.chunk_count,
        ]
        for item in documents
    ]
    columns = ["Id", "Source", "Path", "Title", "Language", "State", "Chunks"]
    print_table("Documents", columns, rows)


@app.command("show")
def show(
    document_id: DocumentArgument, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show one document, its units and what is wrong with them.

    Example: alexandria documents show 5b0c6f1e-0000-5000-8000-000000000000
    """
    with opened(home) as workspace:
        detail = read_document(workspace, document_id)
    if as_json:
        print_json(detail)
        return
    item = detail.document
    facts = [
        ["Title", item.title],
        ["Author", item.author],
        ["Language", item.language],
        ["Source", f"{item.source_name}: {item.path}"],
        ["Kind", item.media_type],
        ["State", item.state],
        ["Units", f"{item.units_indexed} of {item.units_found} indexed"],
        ["Chunks", item.chunk_count],
    ]
    print_table("Document", ["", ""], facts)
    problems = [unit for unit in detail.units if unit.problem_code]
    if problems:
        rows = [[unit.label, unit.problem_reason, unit.problem_advice] for unit in problems]
        print_table("Not in the index", ["Unit", "Reason", "Advice"], rows)


@app.command("delete")
def delete(
    document_id: DocumentArgument, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Take a document out of the library and both indexes; its file is left where it is.

    Example: alexandria documents delete 5b0c6f1e-0000-5000-8000-000000000000
    """
    with opened(home) as workspace:
        outcome = ingest_source(workspace, delete_document(workspace, document_id))
    if as_json:
        print_json({"document_id": document_id, "is_success": outcome.is_success})
    else:
        out.print(f"Document {document_id} is out of the library.", highlight=False)
    if not outcome.is_success:
        raise typer.Exit(1)
