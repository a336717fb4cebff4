"""`alexandria models`: what `make setup` prepares once."""

from typing import Annotated

import typer

from alexandria.settings import Settings
from pipelines.cli.console import out, plain_errors

app = typer.Typer(help="Prepare the embedding model.", hidden=True)

QuietOption = Annotated[bool, typer.Option("--quiet", help="Say nothing when nothing is done.")]


@app.command("export")
def export(*, quiet: QuietOption = False) -> None:
    """Export and quantize the embedding model of the settings, unless that was done.

    Example: alexandria models export
    """
    from alexandria.adapters.text_embedding.openvino import load_embedder
    from alexandria.errors import ModelMissingError

    settings = Settings()
    with plain_errors():
        try:
            model_id = load_embedder(settings.model_folder, settings.embedding_model).model_id
        except ModelMissingError:
            from alexandria.adapters.text_embedding.model_export import export_model

            out.print(f"Exporting {settings.embedding_model}, once; this takes a minute.")
            model_id = str(export_model(settings.embedding_model, settings.model_folder))
            quiet = False
    if not quiet:
        out.print(f"The embedding model is ready: {model_id}", highlight=False, soft_wrap=True)
