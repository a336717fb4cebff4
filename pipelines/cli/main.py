"""The command's entry point: every family of commands, put together."""

import typer

from pipelines.cli import ingest

app = typer.Typer(
    name="alexandria",
    help="Turn a pile of documents into a library that answers, and proves where from.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("ingest")(ingest.ingest)


@app.callback()
def main() -> None:
    """Turn a pile of documents into a library that answers, and proves where from."""
