"""What the Dagster UI shows of a source's coverage: counts, and tables of reasons and notes."""

from collections.abc import Sequence

import dagster as dg

from alexandria.workflows.coverage import Coverage, source_coverage
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.operating.status import list_reasons, list_slowest
from alexandria.workflows.workspace import Workspace
from assets.reporting import Metadata


def describe_coverage(workspace: Workspace, source: Source) -> Metadata:
    """Units found, indexed, pending and in quarantine; pictures; why anything is missing."""
    coverage = source_coverage(workspace, source.source_id).get(source.source_id, Coverage())
    reasons = [
        [item.code, item.documents, item.units, item.advice]
        for item in list_reasons(workspace)
        if item.source_name == source.name
    ]
    return {
        "coverage/units_found": coverage.found,
        "coverage/units_indexed": coverage.indexed,
        "coverage/units_pending": coverage.pending,
        "coverage/units_quarantined": coverage.quarantined_count,
        "coverage/units_recognized": coverage.recognized,
        "coverage/share": round(coverage.share, 4),
        "coverage/pictures": coverage.images,
        "coverage/pictures_with_text": coverage.images_with_text,
        "coverage/reasons": _table(["Reason", "Documents", "Units", "What to do"], reasons),
        "coverage/notes": _table(["Note", "Times"], list(coverage.notes.items())),
    }


def describe_reading(workspace: Workspace, source: Source) -> Metadata:
    """Coverage, and which documents took longest to read."""
    slowest = [
        [item.path, f"{item.elapsed_seconds:.1f}"]
        for item in list_slowest(workspace, source.source_id)
    ]
    table = _table(["Document", "Seconds"], slowest)
    return {**describe_coverage(workspace, source), "slowest_documents": table}


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """A Markdown table; a dash without rows."""
    if not rows:
        return dg.MetadataValue.md("-")
    lines = [columns, ["---"] * len(columns), *rows]
    shown = (
        "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in line) + " |"
        for line in lines
    )
    return dg.MetadataValue.md("\n".join(shown))
