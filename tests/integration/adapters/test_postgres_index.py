"""The indexes for searching in Postgres: built over what is published, and changing no answer."""

from collections.abc import Sequence

import psycopg
import pytest

from alexandria.adapters.postgres_index import FoundEntry, PostgresIndex
from alexandria.errors import ModelMissingError
from alexandria.knowledge.embedding import Vectors
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import Generation, live_generation
from alexandria.workflows.reading.candidates import Question, rank_chunks
from alexandria.workflows.workspace import Workspace

QUESTIONS = ("Who tended the light?", "How is the lens turned by hand?", "the bread of the bakery")
EVERYTHING = SearchFilter()


def _live(library: Workspace) -> Generation:
    live = live_generation(library)
    assert live is not None
    return live


def _index(library: Workspace, rows: int) -> PostgresIndex:
    live = _live(library)
    return PostgresIndex(
        library.database, live.generation_id, live.dimension, dense_index_rows=rows
    )


def _built(library: Workspace) -> set[str]:
    """How the entries of the live generation can be found."""
    with psycopg.connect(library.database.address) as connection:
        rows = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s",
            (f"index_entries_{_live(library).generation_id}",),
        )
        return {str(row[0]).split(" USING ")[1].split(" ")[0] for row in rows}


def test_indexes_for_searching_are_built_once_enough_is_published(library: Workspace) -> None:
    published = library.database.value(
        "count_published_entries", generation_id=_live(library).generation_id
    )
    _index(library, published + 1).optimize()
    assert _built(library) == {"btree"}
    with psycopg.connect(library.database.address, autocommit=True) as connection:
        connection.execute("UPDATE knowledge.index_entries SET is_published = false")
    _index(library, published).optimize()
    assert _built(library) == {"btree"}
    with psycopg.connect(library.database.address, autocommit=True) as connection:
        connection.execute("UPDATE knowledge.index_entries SET is_published = true")
    _index(library, published).optimize()
    assert _built(library) == {"btree", "hnsw", "gin"}


def test_the_indexes_change_no_answer(library: Workspace) -> None:
    live = _live(library)
    questions = [Question.read(library, live, text, "default") for text in QUESTIONS]
    before = [_answers(_index(library, 1), question) for question in questions]
    _index(library, 1).optimize()
    assert [_answers(_index(library, 1), question) for question in questions] == before
    assert all(sparse and dense for sparse, dense in before)


def test_a_filter_that_lets_few_through_finds_them_all_the_same(library: Workspace) -> None:
    live = _live(library)
    question = Question.read(library, live, QUESTIONS[0], "default")
    everything = _index(library, 1).search_dense(question.vector, EVERYTHING, 1000)
    _index(library, 1).optimize()
    languages = library.database.column(
        "published_languages", generation_id=live.generation_id, tenant_id="default"
    )
    found: set[str] = set()
    with library.database.transaction():
        library.database.statement("SET LOCAL hnsw.ef_search = 1")
        library.database.statement("SET LOCAL hnsw.max_scan_tuples = 1")
        library.database.statement("SET LOCAL seq_page_cost = 100000")
        for language in languages:
            where = SearchFilter(languages=(language,))
            hits = _index(library, 1).search_dense(question.vector, where, 1000)
            found |= {hit.chunk_id for hit in hits}
    assert found == {hit.chunk_id for hit in everything}


def _answers(index: PostgresIndex, question: Question) -> tuple[list[str], list[str]]:
    """The ids that words and vectors find, equal scores in one order."""
    words = index.search_sparse(question.terms, EVERYTHING, 20)
    vectors = index.search_dense(question.vector, EVERYTHING, 10)
    return [hit.chunk_id for hit in words], [hit.chunk_id for hit in vectors]


def test_vectors_come_as_they_are_stored(library: Workspace) -> None:
    index = _index(library, 1)
    chunk_ids = sorted(index.chunk_ids())[:7]
    stored = {entry.chunk_id: entry.dense for entry in index.entries(chunk_ids)}
    vectors = index.vectors([*chunk_ids, "00000000-0000-5000-8000-000000000000"])
    assert vectors.keys() == stored.keys()
    assert all((vectors[key] == stored[key]).all() for key in stored)
    assert index.vectors([]) == {}


def test_hits_bring_the_vectors_that_are_stored(library: Workspace) -> None:
    question = Question.read(library, _live(library), QUESTIONS[1], "default")
    index = _index(library, 1)
    near = index.search_dense(question.vector, EVERYTHING, 3)
    best = index.search_sparse(question.terms, EVERYTHING, 3)
    assert len(near) == 3
    assert best
    stored = index.vectors([hit.chunk_id for hit in (*near, *best)])
    for hit in (*near, *best):
        assert isinstance(hit, FoundEntry)
        assert (hit.vector == stored[hit.chunk_id]).all()
    for hit in near:
        assert hit.score == pytest.approx(float(stored[hit.chunk_id] @ question.vector), abs=1e-3)


def test_a_question_that_cannot_be_embedded_says_so_to_whoever_asked(
    library: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(texts: Sequence[str]) -> Vectors:
        raise ModelMissingError(f"no model for {len(texts)} texts")

    live = _live(library)
    embedder = library.load_embedder(live.choices.model_name)
    monkeypatch.setattr(type(embedder), "embed", lambda _, texts: fail(texts))
    with pytest.raises(ModelMissingError):
        rank_chunks(library, live, QUESTIONS[0], EVERYTHING)


def test_rarity_follows_what_is_written_through_the_same_index(library: Workspace) -> None:
    live = _live(library)
    terms = Question.read(library, live, QUESTIONS[0], "default").terms
    index = _index(library, 1)
    before = index.rarity(terms)
    assert before
    index.delete(index.chunk_ids())
    assert index.rarity(terms) == {}
