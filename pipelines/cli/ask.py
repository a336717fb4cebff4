"""`alexandria ask`: a question, and an answer with numbered citations."""

from typing import Annotated

import typer

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.answering import Answered, stream_answer
from alexandria.workflows.sources import read_own_source
from pipelines.cli.console import HomeOption, JsonOption, opened, out, print_json


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
        where = SearchFilter(
            tenant_id=workspace.settings.tenant_id,
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
    for note in answered.notes:
        out.print(f"[yellow]{note}[/]", highlight=False)
    out.print(f"[dim]{answered.model}, {answered.elapsed_ms:.0f} ms[/]", highlight=False)
