"""Publishing: what was staged and checked becomes what readers see, in one transaction."""

from dataclasses import dataclass

from alexandria.workflows.insights.emitting import record_of_source
from alexandria.workflows.operating.generations import Generation
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.labelled_questions import TOLERANCE
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.stages.embedding import remove_withdrawn_points
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Publishable:
    document_id: str
    version_id: str


def publish_versions(workspace: Workspace, source: Source, generation: Generation) -> StageReport:
    """Publish the source's staged versions and withdraw what they replace or what is deleted.

    Readers see the old versions until the transaction commits and the new ones after it;
    Qdrant drops the withdrawn chunks right after, or in the next run if this one dies.
    """
    database = workspace.database
    parameters = {
        "source_id": source.source_id,
        "generation_id": generation.generation_id,
        "chunker_id": generation.choices.chunker_id(source.module),
    }
    with stage_report("quality/publications") as report:
        with database.transaction():
            ready = database.fetch(_Publishable, "publishable_versions", **parameters)
            deleted: list[str] = database.column("withdrawable_publications", **parameters)
            documents = [item.document_id for item in ready]
            versions = [item.version_id for item in ready]
            touched = documents + deleted
            workspace.progress.expect("publications", len(touched))
            database.execute("withdraw_publications", document_ids=touched, **parameters)
            database.execute(
                "add_publications", document_ids=documents, version_ids=versions, **parameters
            )
            if documents:
                database.execute("analyze_publications")
            removed = database.execute(
                "remove_unpublished_entries", document_ids=touched, **parameters
            )
            entries = database.execute("publish_entries", **parameters)
            database.execute("mark_versions_published", **parameters)
            database.execute("supersede_versions", **parameters)
            database.execute("mark_scores_published", tolerance=TOLERANCE, **parameters)
            if generation.state == "live":
                record_of_source(database, "document_indexed", source.source_id, len(documents))
        workspace.progress.advance("publications", len(touched))
        remove_withdrawn_points(workspace, generation)
        if touched:
            workspace.postgres_index(generation).optimize()
        report.row_count = len(touched)
        report.details = {
            "documents_published": len(documents),
            "documents_withdrawn": len(deleted),
            "entries_published": entries,
            "entries_withdrawn": removed,
        }
    return report
