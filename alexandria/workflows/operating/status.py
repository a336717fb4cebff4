"""How the library stands: sources, coverage, quarantine, generations, failed checks."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from alexandria.workflows.coverage import Coverage, source_coverage
from alexandria.workflows.operating.generations import Generation, list_generations, live_generation
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Documents of one source by state, its coverage, and chunks of what is published.

    `duplicates` counts documents whose content another document of the source has too.
    """

    source_id: str
    name: str
    kind: str
    location: str
    synced_at: datetime | None
    documents: int
    published: int
    quarantined: int
    pending: int
    chunks: int
    duplicates: int
    units_found: int = 0
    units_indexed: int = 0
    units_quarantined: int = 0
    coverage: Coverage = field(default_factory=Coverage)


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many documents of one kind of source there are, by state."""

    kind: str
    published: int
    pending: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A document, or one unit of it, that could not be read."""

    source_name: str
    path: str
    document_id: str
    unit: str
    stage: str
    code: str
    reason: str
    advice: str
    quarantined_at: datetime


@dataclass(frozen=True, slots=True)
class QuarantineReason:
    """A reason, and how many whole documents and single units of a source it stands for."""

    source_name: str
    code: str
    advice: str
    documents: int
    units: int


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that failed when it last ran: what it guards is not published."""

    source_name: str
    name: str
    description: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class ReadingTime:
    """How long one document took to read."""

    path: str
    elapsed_seconds: float


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `alexandria status` shows."""

    sources: list[SourceStatus]
    reasons: list[QuarantineReason]
    quarantine: list[QuarantineEntry]
    failed_checks: list[FailedCheck]
    generations: list[Generation]


def read_status(workspace: Workspace) -> Status:
    """The whole library of the tenant."""
    database = workspace.database
    return Status(
        sources=list_source_status(workspace),
        reasons=list_reasons(workspace),
        quarantine=database.fetch(QuarantineEntry, "list_quarantine"),
        failed_checks=database.fetch(FailedCheck, "failed_checks"),
        generations=list_generations(workspace),
    )


def list_source_status(workspace: Workspace) -> list[SourceStatus]:
    """One row for each source, by name."""
    live = live_generation(workspace)
    found = workspace.database.fetch(
        SourceStatus,
        "source_status",
        generation_id=live.generation_id if live else "",
    )
    coverage = source_coverage(workspace)
    return [_with_coverage(item, coverage.get(item.source_id, Coverage())) for item in found]


def count_documents(workspace: Workspace) -> list[KindCount]:
    """Live documents of every tenant by kind of source; nothing else is told of them."""
    return workspace.database.fetch(KindCount, "count_documents_by_kind")


def list_reasons(workspace: Workspace) -> list[QuarantineReason]:
    """Why documents and units are in quarantine, by source, the most frequent first."""
    return workspace.database.fetch(QuarantineReason, "quarantine_reasons")


def list_slowest(workspace: Workspace, source_id: str, limit: int = 5) -> list[ReadingTime]:
    """The documents of a source that took longest to read, slowest first."""
    return workspace.database.fetch(
        ReadingTime, "slowest_documents", source_id=source_id, limit=limit
    )


def _with_coverage(item: SourceStatus, coverage: Coverage) -> SourceStatus:
    return replace(
        item,
        coverage=coverage,
        units_found=coverage.found,
        units_indexed=coverage.indexed,
        units_quarantined=coverage.quarantined_count,
    )
