"""How the library stands: sources, coverage, quarantine, generations, failed checks."""

from dataclasses import dataclass
from datetime import datetime

from alexandria.knowledge.documents import PARSER_VERSION
from alexandria.workflows.operating.generations import Generation, list_generations, live_generation
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Documents of one source by state; units and chunks of what is published.

    `duplicates` counts documents whose content another document of the source has too.
    """

    name: str
    kind: str
    location: str
    synced_at: datetime | None
    documents: int
    published: int
    quarantined: int
    pending: int
    units_found: int
    units_quarantined: int
    chunks: int
    duplicates: int


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
class FailedCheck:
    """A check that failed when it last ran: what it guards is not published."""

    source_name: str
    name: str
    description: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `alexandria status` shows."""

    sources: list[SourceStatus]
    quarantine: list[QuarantineEntry]
    failed_checks: list[FailedCheck]
    generations: list[Generation]


def read_status(workspace: Workspace) -> Status:
    """The whole library of the tenant."""
    database, tenant = workspace.database, workspace.settings.tenant_id
    return Status(
        sources=list_source_status(workspace),
        quarantine=database.fetch(QuarantineEntry, "list_quarantine", tenant_id=tenant),
        failed_checks=database.fetch(FailedCheck, "failed_checks", tenant_id=tenant),
        generations=list_generations(workspace),
    )


def list_source_status(workspace: Workspace) -> list[SourceStatus]:
    """One row for each source, by name."""
    live = live_generation(workspace)
    return workspace.database.fetch(
        SourceStatus,
        "source_status",
        tenant_id=workspace.settings.tenant_id,
        parser_version=PARSER_VERSION,
        generation_id=live.generation_id if live else "",
    )
