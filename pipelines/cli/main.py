"""The command's entry point: every family of commands, put together."""

import typer

from pipelines.cli import (
    database,
    documents,
    index,
    ingest,
    models,
    questions,
    sources,
    status,
    up,
)
from pipelines.cli.identity import audit, keys, users

app = typer.Typer(
    name="alexandria",
    help="Turn a pile of documents into a library that answers, and proves where from.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("up")(up.up)
app.command("ingest")(ingest.ingest)
app.command("ask")(questions.ask)
app.command("status")(status.status)
app.command("verify")(status.verify)
app.command("evaluate")(questions.evaluate)
app.command("migrate")(database.migrate)
app.add_typer(sources.app, name="sources")
app.add_typer(documents.app, name="documents")
app.add_typer(index.app, name="index")
app.add_typer(models.app, name="models")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
