"""`alexandria evaluate`: how well the search finds what a labelled set asks for."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from alexandria.workflows.evaluating import evaluate_search, read_labelled_set, write_documents
from alexandria.workflows.sources import add_source
from pipelines.cli.console import JsonOption, err, opened, plain_errors, print_json, print_table
from pipelines.cli.ingest import ingest_source
from pipelines.cli.progress import StageBars


def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder with corpus, queries and qrels.")],
    queries: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    home: Annotated[
        Path | None, typer.Option(help="Keep the set's library here; default: a throwaway one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Index a labelled set in a home of its own and print how well each search finds it.

    Example: alexandria evaluate ./cranfield --json
    """
    with plain_errors():
        labelled = read_labelled_set(folder)
    if queries is not None:
        for query_id in list(labelled.queries)[queries:]:
            del labelled.queries[query_id], labelled.judgements[query_id]
    with tempfile.TemporaryDirectory(prefix="alexandria-") as scratch:
        place = (home or Path(scratch) / "home").resolve()
        write_documents(labelled, place / "documents")
        bars = StageBars(err, quiet=as_json)
        with opened(place, bars) as workspace, bars:
            source = add_source(workspace, place / "documents", name="labelled-set")
            outcome = ingest_source(workspace, source)
            if not outcome.is_success:
                err.print("\n".join(outcome.reasons), highlight=False)
                raise typer.Exit(1)
            scores = evaluate_search(workspace, labelled)
    if as_json:
        print_json({"set": folder.name, "scores": scores})
        return
    rows = [
        [side, score.ndcg_at_10, score.mrr_at_10, score.recall_at_10, score.recall_at_100]
        for side, score in scores.items()
    ]
    columns = ["Search", "nDCG@10", "MRR@10", "Recall@10", "Recall@100"]
    shown = [[row[0], *(f"{value:.3f}" for value in row[1:])] for row in rows]
    print_table(f"{folder.name}: {next(iter(scores.values())).queries} queries", columns, shown)
