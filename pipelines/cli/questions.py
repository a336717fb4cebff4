"""`alexandria ask` and `alexandria evaluate`: an answer, and how well search finds them."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from alexandria.workflows.operating.sources import add_source, read_own_source
from alexandria.workflows.reading.answering import Answered, stream_answer
from alexandria.workflows.reading.evaluating import (
    evaluate_search,
    read_labelled_set,
    write_documents,
)
from pipelines.cli.console import (
    HomeOption,
    JsonOption,
    err,
    opened,
    out,
    plain_errors,
    print_json,
    print_table,
)
from pipelines.cli.ingest import ingest_source
from pipelines.cli.progress import StageBars


def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable.")] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Only this language (en, de…); repeatable.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only this tag; repeatable.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer from the library, quoting and citing the passages the answer stands on.

    Example: alexandria ask "Who tended the light?" --source sample
    """
    with opened(home) as workspace:
        sources = tuple(read_own_source(workspace, name).source_id for name in source or ())
        where = replace(
            workspace.everything,
            source_ids=sources,
            languages=tuple(language or ()),
            tags=tuple(tag or ()),
        )
        answered: Answered | None = None
        for event in stream_answer(workspace, question, where):
            if event.kind == "text" and not as_json:
                out.print(str(event.data), end="", markup=False, highlight=False)
            if isinstance(event.data, Answered):
                answered = event.data
    assert answered is not None, "a stream ends with the whole answer"
    if as_json:
        print_json(answered)
    else:
        _print_citations(answered)


def _print_citations(answered: Answered) -> None:
    out.print("\n")
    for item in answered.citations:
        place = " > ".join(item.section_path or [item.label])
        out.print(
            f"[bold]\\[{item.number}][/] {item.title}, {place}  [dim]{item.path}, "
            f"score {item.score:.2f}[/]",
            highlight=False,
        )
    for note in (*answered.warnings, *answered.notes):
        out.print(f"[yellow]{note}[/]", highlight=False)
    out.print(f"[dim]{answered.model}, {answered.elapsed_ms:.0f} ms[/]", highlight=False)


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
