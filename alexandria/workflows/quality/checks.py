"""The checks between staging and publishing. Each says in one sentence what it found.

A check returns an outcome and changes nothing; `publishing` acts only when all have passed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alexandria.adapters.great_expectations import Expectation, SuiteResult, run_suite
from alexandria.knowledge.documents import PARSER_VERSION
from alexandria.knowledge.indexing import ScoredChunk, SearchFilter, VectorIndex
from alexandria.workflows.operating.generations import Generation, fed_generations
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.expectations import (
    CHUNKS,
    DOCUMENTS,
    embedding_expectations,
)
from alexandria.workflows.workspace import Workspace

SAMPLED_QUERIES = 5
"""Staged chunks whose own vectors and terms are asked of both indexes."""

REQUIRED_OVERLAP = 0.9
"""Share of the first ten hits both indexes must agree on, on average."""

Detail = dict[str, int | float | str]


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check found; `description` is the reason shown when it blocks."""

    is_passed: bool
    description: str
    details: Detail = field(default_factory=dict[str, int | float | str])


Check = Callable[[Workspace, Source], CheckOutcome]


def check_files_hashed(workspace: Workspace, source: Source) -> CheckOutcome:
    """Every file of the listing has a SHA-256."""
    bad = workspace.database.column("unhashed_files", source_id=source.source_id)
    return _none_of(bad, "files without a content hash")


def check_blobs_stored(workspace: Workspace, source: Source) -> CheckOutcome:
    """The bytes of every version that is to be published are kept."""
    hashes: list[str] = workspace.database.column(
        "current_contents",
        source_id=source.source_id,
        tenant_id=source.tenant_id,
        only_staged=True,
    )
    missing = [item for item in hashes if not workspace.blobs.exists(item)]
    return _none_of(missing, "contents missing from the blob store")


def check_documents(workspace: Workspace, source: Source) -> CheckOutcome:
    """The documents suite holds for what was read and is not published yet."""
    rows = workspace.database.records(
        "staged_documents", source_id=source.source_id, parser_version=PARSER_VERSION
    )
    return _suite("documents", rows, DOCUMENTS)


def check_chunks(workspace: Workspace, source: Source) -> CheckOutcome:
    """The chunks suite holds for what was cut and is not published yet."""
    rows = workspace.database.records("staged_chunks", source_id=source.source_id)
    return _suite("chunks", rows, CHUNKS)


def check_completeness(workspace: Workspace, source: Source) -> CheckOutcome:
    """Units found are units indexed plus units in quarantine."""
    parameters = {
        "source_id": source.source_id,
        "tenant_id": source.tenant_id,
        "only_staged": True,
    }
    missing = workspace.database.column("unaccounted_units", **parameters)
    missing += workspace.database.column("unread_versions", **parameters)
    return _none_of(missing, "units neither indexed nor in quarantine")


def check_embeddings(workspace: Workspace, source: Source) -> CheckOutcome:
    """Every staged chunk has a vector of the right size and of length 1."""
    return _for_generations(workspace, source, _check_embeddings)


def check_images(workspace: Workspace, source: Source) -> CheckOutcome:
    """Every picture that is to be published has a vector of the right size."""
    describer = workspace.image_describer
    missing = workspace.database.column(
        "undescribed_images",
        source_id=source.source_id,
        parser_version=PARSER_VERSION,
        model_id=describer.model_id,
        size=describer.dimension,
    )
    return _none_of(missing, "pictures without a vector")


def check_orphans(workspace: Workspace, source: Source) -> CheckOutcome:
    """No index entry stands in no version."""
    return _for_generations(workspace, source, _check_orphans)


def check_parity(workspace: Workspace, source: Source) -> CheckOutcome:
    """Postgres and Qdrant hold the same ids and answer sampled queries alike."""
    return _for_generations(workspace, source, _check_parity)


def check_published(workspace: Workspace, source: Source) -> CheckOutcome:
    """The index publishes exactly the chunks that the ledger says, and Qdrant owes nothing."""
    return _for_generations(workspace, source, _check_published)


def record_check(workspace: Workspace, source: Source, name: str, outcome: CheckOutcome) -> None:
    """Keep the result, so that `status` can say why something is not published."""
    workspace.database.execute(
        "add_check_result",
        source_id=source.source_id,
        name=name,
        is_passed=outcome.is_passed,
        description=outcome.description,
    )


def _for_generations(
    workspace: Workspace,
    source: Source,
    check: Callable[[Workspace, Source, Generation], CheckOutcome],
) -> CheckOutcome:
    outcomes = [check(workspace, source, item) for item in fed_generations(workspace)]
    failed = [item for item in outcomes if not item.is_passed]
    return failed[0] if failed else outcomes[-1]


def _check_embeddings(workspace: Workspace, source: Source, generation: Generation) -> CheckOutcome:
    rows = workspace.database.records(
        "staged_vectors",
        source_id=source.source_id,
        model_id=generation.model_id,
        generation_id=generation.generation_id,
        chunker_id=generation.choices.chunker_id(source.module),
    )
    suite = embedding_expectations(generation.model_id, generation.dimension)
    return _suite("embeddings", rows, suite)


def _check_orphans(workspace: Workspace, source: Source, generation: Generation) -> CheckOutcome:
    orphans = workspace.database.column(
        "orphan_entries", source_id=source.source_id, generation_id=generation.generation_id
    )
    return _none_of(orphans, "index entries that stand in no version")


def _check_published(workspace: Workspace, source: Source, generation: Generation) -> CheckOutcome:
    identity = {"generation_id": generation.generation_id, "source_id": source.source_id}
    counts = workspace.database.records("source_publication_counts", **identity)[0]
    owed = len(workspace.database.column("pending_removals", **identity))
    words = (
        f"The ledger publishes {counts['expected']} chunks, the index holds {counts['found']}, "
        f"Qdrant owes {owed} removals."
    )
    return CheckOutcome(counts["expected"] == counts["found"] and not owed, words, counts)


def _check_parity(workspace: Workspace, source: Source, generation: Generation) -> CheckOutcome:
    database = workspace.database
    identity = {"generation_id": generation.generation_id, "source_id": source.source_id}
    staged: list[str] = database.column("staged_entry_ids", **identity)
    if not staged:
        return CheckOutcome(True, "Nothing is staged.")
    postgres = workspace.postgres_index(generation, with_staged=True)
    with workspace.qdrant_index(generation) as qdrant:
        points = qdrant.chunk_ids()
        missing = set(database.column("source_entry_ids", **identity)) - points
        removals = set(database.column("pending_removals", **identity))
        extra = points - postgres.chunk_ids() - removals
        overlap = _mean_overlap(postgres, qdrant, staged, source)
    details: Detail = {
        "missing_points": len(missing),
        "extra_points": len(extra),
        "mean_overlap_at_10": round(overlap, 3),
    }
    words = (
        f"Qdrant lacks {len(missing)} chunks and holds {len(extra)} too many; the first ten "
        f"hits of sampled queries agree to {overlap:.0%}."
    )
    return CheckOutcome(not missing and not extra and overlap >= REQUIRED_OVERLAP, words, details)


def _mean_overlap(
    postgres: VectorIndex, qdrant: VectorIndex, staged: Sequence[str], source: Source
) -> float:
    step = max(1, len(staged) // SAMPLED_QUERIES)
    where = SearchFilter(tenant_id=source.tenant_id)
    vectors = postgres.vectors(list(staged[::step])[:SAMPLED_QUERIES])
    overlaps = [
        _overlap(postgres.search_dense(vector, where, 10), qdrant.search_dense(vector, where, 10))
        for vector in vectors.values()
    ]
    return float(np.mean(overlaps)) if overlaps else 1.0


def _overlap(ours: Sequence[ScoredChunk], theirs: Sequence[ScoredChunk]) -> float:
    """Share of hits in both lists; equal scores at the cut count as agreement."""
    if not ours:
        return float(not theirs)
    floor = min(hit.score for hit in ours) + 1e-3
    known = {hit.chunk_id for hit in theirs}
    agreed = sum(hit.chunk_id in known or hit.score <= floor for hit in ours)
    return agreed / len(ours)


def _suite(
    name: str, rows: Sequence[Mapping[str, Any]], expectations: Sequence[Expectation]
) -> CheckOutcome:
    result: SuiteResult = run_suite(name, rows, expectations)
    if result.failures:
        return CheckOutcome(False, "; ".join(result.failures), {"rows": result.row_count})
    return CheckOutcome(
        True, f"All {result.row_count} staged {name} meet the suite.", {"rows": result.row_count}
    )


def _none_of(found: Sequence[object], what: str) -> CheckOutcome:
    examples = ", ".join(str(item) for item in found[:3])
    words = f"{len(found)} {what}" + (f": {examples}" if examples else "") + "."
    return CheckOutcome(not found, words, {"count": len(found)})
