"""Evaluation of the search on a labelled set, through the real graph stages and stores.

A labelled set is a folder with `corpus.jsonl[.gz]` (doc_id, title, text),
`queries.jsonl[.gz]` (query_id, text) and `qrels.tsv` (query_id, doc_id, relevance, with a
header line). Each corpus row becomes a file of its own, ingested into a library of its own.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from alexandria.errors import InvalidInputError
from alexandria.knowledge.scoring import RetrievalScores, documents_of, score_rankings
from alexandria.workflows.operating.generations import Generation, live_generation
from alexandria.workflows.reading.candidates import rank_sides
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Documents, queries and judgements.

    Attributes:
        documents: Document id to (title, text).
        queries: Query id to text, those with a judgement only.
        judgements: Query id to document id to grade.
    """

    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    judgements: dict[str, dict[str, int]]


def read_labelled_set(folder: Path) -> LabelledSet:
    """Read the three files.

    Raises:
        InvalidInputError: One is missing or a row lacks a field; the message says which.
    """
    judgements: dict[str, dict[str, int]] = {}
    try:
        documents = {
            str(row["doc_id"]): (str(row.get("title") or ""), str(row["text"] or ""))
            for row in _rows(folder, "corpus")
        }
        queries = {str(row["query_id"]): str(row["text"]) for row in _rows(folder, "queries")}
        with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                grades = judgements.setdefault(row["query_id"], {})
                grades[row["doc_id"]] = int(row["relevance"])
    except KeyError as error:
        raise InvalidInputError(f"A row in {folder} lacks the field {error}.") from error
    except OSError as error:
        raise InvalidInputError(f"{folder} is no labelled set: {error}.") from error
    return LabelledSet(
        documents, {key: queries[key] for key in judgements if key in queries}, judgements
    )


def write_documents(labelled: LabelledSet, folder: Path) -> None:
    """One HTML file for each document that is not empty, named by its place in the set."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (title, text) in enumerate(labelled.documents.values()):
        if title.strip() or text.strip():
            (folder / f"{number}.html").write_text(_content(title, text), encoding="utf-8")


def evaluate_search(workspace: Workspace, labelled: LabelledSet) -> dict[str, RetrievalScores]:
    """Scores of dense, BM25 and hybrid search, by those names; copies count as one document.

    Raises:
        InvalidInputError: The library is empty.
    """
    live = live_generation(workspace)
    if live is None:
        raise InvalidInputError("The library is empty; ingest the labelled set first.")
    names = list(labelled.documents)
    works = _works(workspace, names)
    document_of = {
        chunk_id: works.get(name, name)
        for chunk_id, name in _document_names(workspace, live, names).items()
    }
    rankings: dict[str, dict[str, list[str]]] = {"dense": {}, "bm25": {}, "hybrid": {}}
    where = workspace.everything
    workspace.progress.expect("queries", len(labelled.queries))
    for query_id, text in labelled.queries.items():
        sides = rank_sides(workspace, live, text, where)
        for side, chunk_ids in sides.items():
            rankings[side][query_id] = documents_of(chunk_ids, document_of)
        workspace.progress.advance("queries")
    wanted = {query: _merged(grades, works) for query, grades in labelled.judgements.items()}
    return {side: score_rankings(ranked, wanted) for side, ranked in rankings.items()}


@dataclass(frozen=True, slots=True)
class _ChunkPath:
    chunk_id: str
    path: str


def _document_names(workspace: Workspace, live: Generation, names: list[str]) -> dict[str, str]:
    rows = workspace.database.fetch(
        _ChunkPath, "published_chunk_paths", generation_id=live.generation_id
    )
    return {row.chunk_id: _name(row.path, names) for row in rows}


@dataclass(frozen=True, slots=True)
class _CopyPath:
    path: str
    best_path: str


def _works(workspace: Workspace, names: list[str]) -> dict[str, str]:
    """The best copy of each document that is a lesser one, by their names in the set."""
    rows = workspace.database.fetch(_CopyPath, "copy_paths", tenant_id=workspace.tenant_id)
    return {_name(row.path, names): _name(row.best_path, names) for row in rows}


def _merged(grades: Mapping[str, int], works: Mapping[str, str]) -> dict[str, int]:
    """Grades by work: the best that any of its copies was given."""
    merged: dict[str, int] = {}
    for name, grade in grades.items():
        work = works.get(name, name)
        merged[work] = max(grade, merged.get(work, grade))
    return merged


def _name(path: str, names: list[str]) -> str:
    return names[int(Path(path).stem)]


def _content(title: str, text: str) -> str:
    """A page whose text is the title and the text; a title the text repeats is not doubled."""
    heading = "" if not title or text.startswith(title) else f"<h1>{escape(title)}</h1>"
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part.strip())
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    return f"<!doctype html><html><head>{head}</head><body>{heading}{paragraphs}</body></html>"


def _rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    packed = folder / f"{name}.jsonl.gz"
    opener = gzip.open if packed.exists() else open
    file = packed if packed.exists() else folder / f"{name}.jsonl"
    with opener(file, "rt", encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)
