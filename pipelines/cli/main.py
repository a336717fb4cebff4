"""The command's entry point: every family of commands, put together."""

import typer

from pipelines.cli import ask, documents, evaluate, index, ingest, models, sources, status, up

app = typer.Typer(
    name="alexandria",
    help="Turn a pile of documents into a library that answers, and proves where from.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("up")(up.up)
app.command("ingest")(ingest.ingest)
app.command("ask")(ask.ask)
app.command("status")(status.status)
app.command("verify")(status.verify)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(sources.app, name="sources")
app.add_typer(documents.app, name="documents")
app.add_typer(index.app, name="index")
app.add_typer(models.app, name="models")
