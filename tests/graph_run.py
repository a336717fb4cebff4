"""The graph without Dagster: every stage and blocking check of a source, in the job's order."""

from collections.abc import Callable, Mapping, Sequence

from alexandria.errors import IntegrityError
from alexandria.workflows.operating.generations import Generation, fed_generations
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.checks import (
    Check,
    check_blobs_stored,
    check_chunks,
    check_completeness,
    check_documents,
    check_embeddings,
    check_files_hashed,
    check_images,
    check_orphans,
    check_parity,
    record_check,
)
from alexandria.workflows.quality.labelled_questions import check_retrieval
from alexandria.workflows.quality.near_duplicates import check_copies, link_copies
from alexandria.workflows.reports import StageReport
from alexandria.workflows.stages.chunking import chunk_documents
from alexandria.workflows.stages.embedding import embed_chunks, stage_postgres, stage_qdrant
from alexandria.workflows.stages.images import describe_images
from alexandria.workflows.stages.ingestion import register_versions, sync_source_files
from alexandria.workflows.stages.parsing import parse_documents
from alexandria.workflows.stages.publishing import publish_versions
from alexandria.workflows.workspace import Workspace

Step = Callable[[Workspace, Source], Sequence[StageReport]]


def run_graph(
    workspace: Workspace,
    source: Source,
    *,
    before: Mapping[str, Callable[[], object]] | None = None,
    until: str | None = None,
) -> dict[str, StageReport]:
    """Run the stages and blocking checks of a source as the job `sync_source` orders them.

    Args:
        before: What to do just before the stage or check of that name.
        until: Stop before the stage or check of that name.

    Returns:
        The report of every stage by name; of several generations, their sum of rows.

    Raises:
        IntegrityError: A blocking check did not pass; what follows it did not run.
    """
    interventions = before or {}
    reports: dict[str, StageReport] = {}
    for name, step in _GRAPH.items():
        if name == until:
            break
        if name in interventions:
            interventions[name]()
        if done := step(workspace, source):
            reports[name] = _sum(done)
    return reports


def _sum(reports: Sequence[StageReport]) -> StageReport:
    if len(reports) == 1:
        return reports[0]
    from assets.reporting import add_reports

    return add_reports(reports)


def _once(work: Callable[[Workspace, Source], StageReport]) -> Step:
    return lambda workspace, source: [work(workspace, source)]


def _each(work: Callable[[Workspace, Source, Generation], StageReport]) -> Step:
    return lambda workspace, source: [
        work(workspace, source, generation) for generation in fed_generations(workspace)
    ]


def _gate(name: str, check: Check) -> Step:
    def step(workspace: Workspace, source: Source) -> list[StageReport]:
        outcome = check(workspace, source)
        record_check(workspace, source, name, outcome)
        if not outcome.is_passed:
            raise IntegrityError(f"{name}: {outcome.description}")
        return []

    return step


_CHECKS: Mapping[str, Check] = {
    "files_have_a_hash": check_files_hashed,
    "blobs_are_stored": check_blobs_stored,
    "documents_meet_the_suite": check_documents,
    "chunks_meet_the_suite": check_chunks,
    "units_are_all_accounted_for": check_completeness,
    "embeddings_meet_the_suite": check_embeddings,
    "images_have_a_vector": check_images,
    "entries_have_no_orphans": check_orphans,
    "indexes_agree": check_parity,
    "retrieval_score_holds": check_retrieval,
    "copies_lead_to_the_best": check_copies,
}
_STAGES: Mapping[str, tuple[Step, Sequence[str]]] = {
    "source_files": (_once(sync_source_files), ["files_have_a_hash"]),
    "document_versions": (_once(register_versions), ["blobs_are_stored"]),
    "parsed_documents": (_once(parse_documents), ["documents_meet_the_suite"]),
    "chunks": (
        _each(chunk_documents),
        ["chunks_meet_the_suite", "units_are_all_accounted_for"],
    ),
    "chunk_embeddings": (_each(embed_chunks), ["embeddings_meet_the_suite"]),
    "image_embeddings": (_once(describe_images), ["images_have_a_vector"]),
    "postgres_index": (_each(stage_postgres), ["entries_have_no_orphans"]),
    "qdrant_index": (_each(stage_qdrant), ["indexes_agree", "retrieval_score_holds"]),
    "publications": (_each(publish_versions), []),
    "near_duplicates": (_once(link_copies), ["copies_lead_to_the_best"]),
}
_GRAPH: Mapping[str, Step] = {
    name: step
    for stage, (work, checks) in _STAGES.items()
    for name, step in [(stage, work), *((check, _gate(check, _CHECKS[check])) for check in checks)]
}
"""Every stage, and after it the checks that block what follows."""
