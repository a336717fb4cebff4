"""The sources of a library: add, list, remove."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alexandria.errors import ConflictError, InvalidInputError, NotFoundError
from alexandria.knowledge.identifiers import derive_id
from alexandria.settings import Module
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """A place documents come from. `name` is also its partition key."""

    source_id: str
    tenant_id: str
    name: str
    kind: str
    location: str
    module: str
    tags: list[str]
    created_at: datetime
    synced_at: datetime | None


def add_source(
    workspace: Workspace,
    path: Path,
    *,
    name: str | None = None,
    module: Module | None = None,
    tags: Sequence[str] | None = None,
    kind: str | None = None,
) -> Source:
    """Register a folder or a file; one that is registered already keeps its id.

    Args:
        workspace: The library.
        path: The folder or file.
        name: Its name, which is made unique if not given.
        module: None keeps what it was; "library" if it is new.
        tags: None keeps what they were; none if it is new.
        kind: folder, file or upload; None looks which.

    Raises:
        InvalidInputError: There is no such path.
        ConflictError: Another source has the name.
    """
    location = path.resolve()
    if not location.exists():
        raise InvalidInputError(f"There is no file or folder at {path}.")
    kind = kind or ("folder" if location.is_dir() else "file")
    tenant = workspace.settings.tenant_id
    source_id = derive_id("source", tenant, kind, str(location))
    known = {source.name: source for source in list_all_sources(workspace)}
    earlier = next((item for item in known.values() if item.source_id == source_id), None)
    chosen = slugify(name) if name else earlier.name if earlier else _free_name(location, known)
    if chosen in known and known[chosen].source_id != source_id:
        raise ConflictError(f"A source named {chosen} exists; choose another with --name.")
    workspace.database.execute(
        "add_source",
        source_id=source_id,
        tenant_id=tenant,
        name=chosen,
        kind=kind,
        location=str(location),
        module=module,
        tags=None if tags is None else list(tags),
    )
    return read_source(workspace, chosen)


def list_sources(workspace: Workspace) -> list[Source]:
    """The tenant's sources by name."""
    return workspace.database.fetch(Source, "list_sources", tenant_id=workspace.settings.tenant_id)


def list_all_sources(workspace: Workspace) -> list[Source]:
    """Every tenant's sources, for sensors and schedules."""
    return workspace.database.fetch(Source, "list_all_sources")


def read_source(workspace: Workspace, name: str) -> Source:
    """One source of any tenant, removed ones included.

    Raises:
        NotFoundError: No source has that name.
    """
    return _required(workspace.database.fetch_one(Source, "read_source", name=name), name)


def read_own_source(workspace: Workspace, name: str) -> Source:
    """One source of the tenant, removed ones included.

    Raises:
        NotFoundError: No source of the tenant has that name.
    """
    source = read_source(workspace, name)
    return _required(source if source.tenant_id == workspace.settings.tenant_id else None, name)


def remove_source(workspace: Workspace, name: str) -> Source:
    """Take a source out; its documents leave the indexes with its next run.

    Raises:
        NotFoundError: No source of the tenant has that name.
    """
    source = read_own_source(workspace, name)
    workspace.database.execute("mark_source_removed", source_id=source.source_id)
    return source


def _required(source: Source | None, name: str) -> Source:
    if source is None:
        raise NotFoundError(f"No source is named {name}; `alexandria sources list` shows them.")
    return source


def slugify(name: str) -> str:
    """Lower-case ASCII letters, digits and hyphens; "source" when nothing is left."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-") or "source"


def _free_name(location: Path, taken: dict[str, Source]) -> str:
    base = slugify(location.name if location.is_dir() else location.stem)
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, 10_000))
    return next(candidate for candidate in candidates if candidate not in taken)
