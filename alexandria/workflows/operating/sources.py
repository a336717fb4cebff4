"""The sources of a library: add, list, remove."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alexandria.errors import ConflictError, InvalidInputError, NotFoundError
from alexandria.identity.access import check_readers
from alexandria.knowledge.identifiers import derive_id
from alexandria.settings import Module
from alexandria.sources.folder.listing import PASSED_OVER
from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.workspace import Workspace

UPLOADS = "uploads"
"""How the names of upload sources begin; no other source has such a name."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place documents come from. `name` is also its partition key.

    `readers` are those of its documents whose own readers are not told.
    """

    source_id: str
    tenant_id: str
    name: str
    kind: str
    location: str
    module: str
    tags: list[str]
    readers: list[str]
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
    readers: Sequence[str] | None = None,
    tenant_id: str | None = None,
) -> Source:
    """Register a folder or a file; one that is registered already keeps its id.

    Args:
        workspace: The library.
        path: The folder or file.
        name: Its name, which is made unique if not given.
        module: None keeps what it was; "library" if it is new.
        tags: None keeps what they were; none if it is new.
        kind: upload for a tenant's upload folder; None looks whether it is a folder or a file.
        readers: Who may read its documents; None keeps who could, everyone if it is new.
        tenant_id: Whose it is; None for the workspace's tenant.

    Raises:
        InvalidInputError: There is no such path, or the path or the name is for uploads.
        ConflictError: Another source has the name.
    """
    location = _existing(path)
    kind = kind or ("folder" if location.is_dir() else "file")
    tenant = tenant_id or workspace.tenant_id
    source_id = derive_id("source", tenant, kind, str(location))
    known = {source.name: source for source in list_all_sources(workspace)}
    earlier = next((item for item in known.values() if item.source_id == source_id), None)
    chosen = slugify(name) if name else earlier.name if earlier else free_name(location, known)
    _check_name(chosen, source_id, known)
    _keep_off_uploads(workspace, location, chosen, kind)
    row = {
        "source_id": source_id,
        "tenant_id": tenant,
        "name": chosen,
        "kind": kind,
        "location": str(location),
        "module": module,
        "tags": None if tags is None else list(tags),
        "readers": None if readers is None else list(check_readers(readers)),
    }
    return _write(workspace, earlier, row)


def list_sources(workspace: Workspace) -> list[Source]:
    """The tenant's sources by name."""
    return workspace.database.fetch(Source, "list_sources")


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
    return _required(source if source.tenant_id == workspace.tenant_id else None, name)


def remove_source(workspace: Workspace, name: str) -> Source:
    """Take a source out; its documents leave the indexes with its next run.

    Raises:
        NotFoundError: No source of the tenant has that name.
    """
    source = read_own_source(workspace, name)
    with workspace.database.transaction():
        if workspace.database.execute("mark_source_removed", source_id=source.source_id):
            tell_of_source(workspace, source, "source.removed")
    return source


def _write(workspace: Workspace, earlier: Source | None, row: Mapping[str, object]) -> Source:
    with workspace.database.transaction():
        workspace.database.execute("add_source", **row)
        source = read_source(workspace, str(row["name"]))
        _tell_of_change(workspace, earlier, source)
    return source


def _tell_of_change(workspace: Workspace, earlier: Source | None, source: Source) -> None:
    """Write down a source that is new, or what of one is another; nothing if nothing is."""
    sides = ("name", "kind", "location", "module", "tags", "readers")
    changed = [
        side for side in sides if not earlier or getattr(earlier, side) != getattr(source, side)
    ]
    if changed:
        action = "source.changed" if earlier else "source.added"
        tell_of_source(workspace, source, action, changed)


def tell_of_source(
    workspace: Workspace, source: Source, action: str, changed: Sequence[str] = ()
) -> None:
    """Write down what an operator, or the pipeline, did to a source, and which sides it changed.

    Whoever reads the log need not be a reader of the source: it names no more than its readers.
    """
    details: dict[str, object] = {"changed": list(changed)} if changed else {}
    if "readers" in changed:
        details["readers"] = source.readers
    record_event(
        workspace,
        action,
        "source",
        source.source_id,
        details=details,
        actor=OPERATOR,
        tenant_id=source.tenant_id,
    )


def _required(source: Source | None, name: str) -> Source:
    if source is None:
        raise NotFoundError(f"No source is named {name}; `alexandria sources list` shows them.")
    return source


def upload_source_name(workspace: Workspace, tenant_id: str | None = None) -> str:
    """What the source of a tenant's uploads is called, the workspace's tenant unless told."""
    tenant = tenant_id or workspace.tenant_id
    return UPLOADS if tenant == workspace.settings.tenant_id else f"{UPLOADS}-{tenant}"


def _existing(path: Path) -> Path:
    location = path.resolve()
    if not location.exists():
        raise InvalidInputError(f"There is no file or folder at {path}.")
    return location


def _check_name(name: str, source_id: str, known: Mapping[str, Source]) -> None:
    if name in known and known[name].source_id != source_id:
        raise ConflictError(f"A source named {name} exists; choose another with --name.")


def _is_for_uploads(name: str) -> bool:
    return name == UPLOADS or name.startswith(f"{UPLOADS}-")


def _keep_off_uploads(workspace: Workspace, location: Path, name: str, kind: str) -> None:
    """Nothing uploaded is read by the rules of another source, which know nobody's own files.

    Raises:
        InvalidInputError: The name is for uploads; or the place is the upload folder, in it,
            or above it and would show it.
    """
    if kind == "upload":
        return
    if _is_for_uploads(name):
        raise InvalidInputError(f"The name {name} is for uploads; choose another with --name.")
    uploads = workspace.settings.uploads.resolve()
    between = uploads.relative_to(location).parts if uploads.is_relative_to(location) else None
    is_above = between is not None and not any(part.startswith(PASSED_OVER) for part in between)
    if is_above or location.is_relative_to(uploads):
        raise InvalidInputError(
            f"Uploads arrive in {uploads}, which is a source already; choose a folder beside it."
        )


def slugify(name: str) -> str:
    """Lower-case ASCII letters, digits and hyphens; "source" when nothing is left."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-") or "source"


def free_name(location: Path, taken: Mapping[str, Source]) -> str:
    """A name for a new source at a place, which is neither taken nor for uploads."""
    base = slugify(location.name if location.is_dir() else location.stem)
    base = f"folder-{base}" if _is_for_uploads(base) else base
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, 10_000))
    return next(candidate for candidate in candidates if candidate not in taken)
