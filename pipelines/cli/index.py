"""`alexandria index`: generations of the index, built side by side."""

from typing import Annotated

import typer

from alexandria.workflows.operating.generations import (
    ensure_target,
    list_generations,
    retire_generation,
    switch_generation,
)
from alexandria.workflows.operating.sources import list_all_sources
from pipelines.cli.console import HomeOption, JsonOption, err, opened, out, print_json, print_table
from pipelines.cli.progress import StageBars

app = typer.Typer(help="List, rebuild, switch and retire index generations.")

GenerationArgument = Annotated[str, typer.Argument(help="Id, as `index list` shows it.")]


@app.command("list")
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the generations: live answers, standby is kept current to switch back to.

    Example: alexandria index list
    """
    with opened(home) as workspace:
        generations = list_generations(workspace)
    if as_json:
        print_json(generations)
        return
    rows = [
        [
            item.generation_id,
            item.state,
            item.model_id,
            item.entry_count,
            item.created_at,
            item.activated_at,
        ]
        for item in generations
    ]
    columns = ["Id", "State", "Model", "Entries", "Created", "Activated"]
    print_table("Index generations", columns, rows)


@app.command("rebuild")
def rebuild(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Build the generation of today's settings beside the live one; then `switch` to it.

    Example: ALEXANDRIA_CHUNKING='{"library":{"kind":"recursive"}}' alexandria index rebuild
    """
    from pipelines.instance import open_instance, run_job

    bars = StageBars(err, quiet=as_json)
    with opened(home, bars) as workspace, bars:
        generation = ensure_target(workspace)
        with open_instance(workspace.settings) as instance:
            outcomes = [
                run_job(workspace, instance, "rebuild_index", source.name)
                for source in list_all_sources(workspace)
            ]
    reasons = [reason for outcome in outcomes for reason in outcome.reasons]
    if as_json:
        print_json({"generation_id": generation.generation_id, "reasons": reasons})
    else:
        for reason in reasons:
            err.print(f"[bold red]{reason}[/]", highlight=False)
        out.print(
            f"Generation {generation.generation_id} is built; "
            f"`alexandria index switch {generation.generation_id}` makes it answer.",
            highlight=False,
        )
    if not all(outcome.is_success for outcome in outcomes):
        raise typer.Exit(1)


@app.command("switch")
def switch(
    generation_id: GenerationArgument, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Let a generation answer; switch to the one before to roll back.

    Example: alexandria index switch 3f9a12c04b7e
    """
    with opened(home) as workspace:
        generation = switch_generation(workspace, generation_id)
    if as_json:
        print_json(generation)
    else:
        out.print(f"Generation {generation_id} answers now.", highlight=False)


@app.command("retire")
def retire(
    generation_id: GenerationArgument, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Drop a generation that is not live from both stores.

    Example: alexandria index retire 3f9a12c04b7e
    """
    with opened(home) as workspace:
        retire_generation(workspace, generation_id)
    if as_json:
        print_json({"generation_id": generation_id, "state": "retired"})
    else:
        out.print(f"Generation {generation_id} is retired.", highlight=False)
