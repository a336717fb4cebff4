"""`alexandria documents`: what is in the library."""

from typing import Annotated

import typer

from alexandria.workflows.reading.documents import (
    DocumentDetail,
    delete_document,
    list_documents,
    read_document,
)
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
        *_coverage_facts(detail),
        ["Chunks", item.chunk_count],
    ]
    print_table("Document", ["", ""], facts)
    _print_problems(detail)
    if detail.notes:
        labels = {unit.ordinal: unit.label for unit in detail.units}
        notes = [
            ["" if note.unit is None else labels.get(note.unit, ""), note.code, note.message]
            for note in detail.notes
        ]
        print_table("Notes", ["Unit", "Note", ""], notes)
    if detail.attachments:
        attached = [[one.document_id, one.path, one.title, one.state] for one in detail.attachments]
        print_table("Inside it", ["Id", "Path", "Title", "State"], attached)
    if detail.copies:
        copies = [
            [
                one.document_id,
                f"{one.source_name}: {one.path}",
                one.title,
                f"{one.similarity:.0%}",
                "searches show this one" if one.is_best else "",
            ]
            for one in detail.copies
        ]
        print_table("Also as", ["Id", "Source", "Title", "Same text", ""], copies)


def _coverage_facts(detail: DocumentDetail) -> list[list[object]]:
    """How much of the document is in the index, and where it lies."""
    coverage = detail.coverage
    facts: list[list[object]] = [["Units", f"{coverage.indexed} of {coverage.found} indexed"]]
    if coverage.summary:
        facts.append(["Missing", coverage.summary])
    if coverage.recognized:
        facts.append(["Recognized", f"{coverage.recognized} of {coverage.found} units"])
    if coverage.images:
        facts.append(["Pictures", f"{coverage.images_with_text} of {coverage.images} with text"])
    if detail.container:
        facts.append(["Inside", f"{detail.container.path} ({detail.container.document_id})"])
    return facts


def _print_problems(detail: DocumentDetail) -> None:
    """Why the whole document or some of its units are not in the index."""
    units: dict[tuple[str, str], list[str]] = {}
    for unit in detail.units:
        if unit.problem_code:
            why = (unit.problem_reason or "", unit.problem_advice or "")
            units.setdefault(why, []).append(unit.label)
    rows = [[", ".join(labels), *why] for why, labels in units.items()]
    if detail.problem:
        rows.insert(0, ["newest version", detail.problem.reason, detail.problem.advice])
    if rows:
        print_table("Not in the index", ["Units", "Reason", "Advice"], rows)


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
