"""Ingestion: from what a source shows to document versions with their bytes kept.

`sync_source_files` looks; `register_versions` decides. A document is identified by where
and as what it was first seen, so it keeps its id when its file is renamed or edited.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alexandria.errors import ArchiveLimitError, InvalidInputError, UnsupportedFormatError
from alexandria.knowledge.documents import PARSER_VERSION
from alexandria.knowledge.identifiers import derive_id
from alexandria.knowledge.parsing.archives import MAX_CONTAINED, MAX_DEPTH
from alexandria.sources.folder import sync_folder
from alexandria.sources.folder.access import AccessRules
from alexandria.sources.folder.listing import walk_files
from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.stages.readers import readers_by_path, record_readers
from alexandria.workflows.workspace import Workspace

DEEPEST_FILE = MAX_DEPTH
"""How many files deep a file may lie inside others and still become a document."""


@dataclass(frozen=True, slots=True)
class _KnownFile:
    path: str
    fingerprint: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class _Vanished:
    document_id: str
    path: str
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class _Outdated:
    document_id: str
    path: str
    content_hash: str
    size_bytes: int
    modified_at: datetime
    problem_code: str | None
    problem_reason: str | None
    problem_advice: str | None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something of a current version that is not in the index, and why."""

    document_id: str
    version_id: str
    unit: str
    stage: str
    code: str
    reason: str
    advice: str


def sync_source_files(workspace: Workspace, source: Source) -> StageReport:
    """Look at the source; the ledger's files become what is there now.

    Raises:
        InvalidInputError: The folder itself is gone. Its documents stay as they are, since
            a disk that is not mounted looks the same; `sources remove` takes them down.
            Or its `.access.toml` cannot be understood.
    """
    database = workspace.database
    with stage_report("ingestion/source_files") as report:
        if database.value("is_source_removed", source_id=source.source_id):
            gone = database.execute("forget_source_files", source_id=source.source_id)
            report.row_count = gone
            return report
        root = Path(source.location)
        if not (root.parent if source.kind == "file" else root).exists():
            raise InvalidInputError(
                f"Source {source.name}: {source.location} is not there. Mount it again, or run "
                f"`alexandria sources remove {source.name}`."
            )
        rules = AccessRules.read(root)
        known = database.fetch(_KnownFile, "known_files", source_id=source.source_id)
        hashes = {file.path: file.content_hash for file in known}
        changed: set[str] = set()
        if not known:  # all there is is new, and will be read
            workspace.workers.prepare()

        def write(rows: Sequence[Mapping[str, Any]]) -> None:
            _record_files(workspace, source, rules, rows)
            changed.update(_changed_paths(rows, hashes))
            if changed:
                workspace.workers.prepare()

        sync_folder(
            root,
            {file.path: file.fingerprint for file in known},
            name=source.name,
            pipelines_folder=workspace.settings.home.resolve() / "dlt",
            max_bytes=workspace.settings.max_file_bytes,
            now=time.time(),
            write=write,
        )
        record_readers(workspace, source, rules)
        report.row_count = len(changed)
        workspace.progress.expect("source_files", report.row_count)
        workspace.progress.advance("source_files", report.row_count)
    return report


def register_versions(workspace: Workspace, source: Source) -> StageReport:
    """Keep the bytes of new contents, then bring documents and versions in line with files."""
    with stage_report("ingestion/document_versions") as report:
        _store_blobs(workspace, source, only_staged=True)
        with workspace.database.transaction():
            _settle_contained(workspace, source)
            workspace.database.execute("forget_exclusions", source_id=source.source_id)
            changes = _follow_files(workspace, source)
            record_quarantine(workspace, source)
            workspace.database.execute("mark_source_synced", source_id=source.source_id)
        report.row_count = (
            changes["versions_added"] + changes["documents_renamed"] + changes["documents_deleted"]
        )
        report.details = {**changes}
    return report


def register_contained_files(
    workspace: Workspace, source: Source, *, most: int = MAX_CONTAINED
) -> int:
    """Make documents of the files that reading found inside files; returns how many changed.

    Of one file of the source `most` are taken at most, whatever their depth.
    """
    with workspace.database.transaction():
        changed = _settle_contained(workspace, source, most)
        if changed:
            _follow_files(workspace, source)
    return changed


def _settle_contained(workspace: Workspace, source: Source, most: int = MAX_CONTAINED) -> int:
    too_deep = UnsupportedFormatError(
        f"It lies more than {DEEPEST_FILE} files deep inside other files.",
        advice="Unpack the outer file and add what is inside.",
    )
    too_many = ArchiveLimitError(
        f"More than {most:,} files lie inside the file; {{count}} of them were left out.",
        advice="Unpack the file and add what you want of it.",
    )
    return workspace.database.value(
        "settle_contained_files",
        source_id=source.source_id,
        parser_version=PARSER_VERSION,
        deepest=DEEPEST_FILE,
        problem_code=too_deep.code,
        problem_reason=too_deep.message,
        problem_advice=too_deep.advice,
        most=most,
        limit_code=too_many.code,
        limit_reason=too_many.message,
        limit_advice=too_many.advice,
    )


def _follow_files(workspace: Workspace, source: Source) -> dict[str, int]:
    """Bring documents and versions in line with the files of the source."""
    renamed, deleted = _settle_vanished(workspace, source)
    added = _add_documents(workspace, source)
    versions = _add_versions(workspace, source)
    workspace.database.execute("inherit_readers", source_id=source.source_id)
    _settle_access(workspace, source)
    workspace.database.execute("supersede_versions", source_id=source.source_id)
    return {
        "documents_added": added,
        "documents_renamed": renamed,
        "documents_deleted": deleted,
        "versions_added": len(versions),
    }


def _settle_access(workspace: Workspace, source: Source) -> None:
    """Give documents the access lists of their files; one event tells how many got another."""
    queries = ("settle_access", "settle_shown_with")
    documents = sum(
        workspace.database.execute(query, source_id=source.source_id) for query in queries
    )
    if documents:
        record_event(
            workspace,
            "access.changed",
            "source",
            source.source_id,
            details={"documents": documents},
            actor=OPERATOR,
            tenant_id=source.tenant_id,
        )


def record_quarantine(workspace: Workspace, source: Source) -> int:
    """Bring the quarantine in line with what is wrong now; returns how many entries stand."""
    database = workspace.database
    parameters = {"source_id": source.source_id, "parser_version": PARSER_VERSION}
    database.execute("mark_versions_quarantined", **parameters)
    problems = database.fetch(Quarantined, "wanted_problems", **parameters)
    ids = {derive_id("quarantine", item.version_id, item.unit): item for item in problems}
    database.execute_many(
        "add_quarantine",
        [
            asdict(item) | {"quarantine_id": key, "source_id": source.source_id}
            for key, item in ids.items()
        ],
    )
    database.execute("clear_quarantine", source_id=source.source_id, quarantine_ids=list(ids))
    return len(ids)


def _record_files(
    workspace: Workspace, source: Source, rules: AccessRules, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write down what a look saw; no file ever stands without its readers."""
    identity = {"source_id": source.source_id}
    defaults = dict.fromkeys(("problem_code", "problem_reason", "problem_advice"))
    with workspace.database.transaction():
        seen = [row for row in rows if not row["is_gone"]]
        readers = readers_by_path(workspace, source, rules, [row["path"] for row in seen])
        present = [
            defaults | dict(row) | identity | {"readers": readers[row["path"]]} for row in seen
        ]
        gone = [{"path": row["path"]} | identity for row in rows if row["is_gone"]]
        workspace.database.execute_many("record_file", present)
        workspace.database.execute_many("forget_file", gone)


def _changed_paths(rows: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> Iterator[str]:
    """Files that are new, gone or of another content; a touched or settling one is neither."""
    for row in rows:
        if row["is_gone"] or row["content_hash"] != known.get(row["path"]):
            yield row["path"]


def restore_files(workspace: Workspace, source: Source) -> int:
    """Keep again the files that the blob store lost; returns how many it lacked."""
    return _store_blobs(workspace, source, only_staged=False)


def _store_blobs(workspace: Workspace, source: Source, *, only_staged: bool) -> int:
    """Keep the contents of the source that are not kept; returns how many were missing.

    A file that changed since it was listed is kept as it is now; the next look settles it.
    """
    parameters = {"source_id": source.source_id, "only_staged": only_staged}
    files = workspace.database.fetch(_File, "readable_files", **parameters)
    pending = [file for file in files if not workspace.blobs.exists(file.content_hash)]
    workspace.progress.expect("document_versions", len(pending))
    root = Path(source.location)
    locations = dict(walk_files(root)) if pending else {}
    for file in pending:
        location = locations.get(file.path, root / file.path)
        with (
            suppress(FileNotFoundError, PermissionError, NotADirectoryError),
            location.open("rb") as content,
        ):
            workspace.blobs.put(content)
        workspace.progress.advance("document_versions")
    return len(pending)


def _settle_vanished(workspace: Workspace, source: Source) -> tuple[int, int]:
    """Documents whose file is gone follow an equal new file, or are deleted."""
    database = workspace.database
    vanished = database.fetch(_Vanished, "vanished_documents", source_id=source.source_id)
    if not vanished:
        return 0, 0
    homes: dict[str, list[str]] = defaultdict(list)
    for file in database.fetch(_File, "unregistered_files", source_id=source.source_id):
        homes[file.content_hash].append(file.path)
    renamed = deleted = 0
    for document in vanished:
        paths = homes.get(document.content_hash or "")
        if paths:
            database.execute("rename_document", document_id=document.document_id, path=paths.pop(0))
            renamed += 1
        else:
            database.execute("delete_document", document_id=document.document_id)
            deleted += 1
    return renamed, deleted


def _add_documents(workspace: Workspace, source: Source) -> int:
    database = workspace.database
    files = database.fetch(_File, "unregistered_files", source_id=source.source_id)
    rows = [
        {
            "document_id": document_id,
            "source_id": source.source_id,
            "tenant_id": source.tenant_id,
            "path": file.path,
        }
        for file, document_id in zip(files, _document_ids(workspace, source, files), strict=True)
    ]
    database.execute_many("add_document", rows)
    return len(rows)


def _document_ids(workspace: Workspace, source: Source, files: Sequence[_File]) -> list[str]:
    """The id a file was first seen under; a copy at the old place of a renamed one differs."""
    ids: dict[str, str] = {}
    copy = 0
    while len(ids) < len(files):
        candidates = {
            derive_id("document", source.source_id, file.path, file.content_hash, str(copy)): file
            for file in files
            if file.path not in ids
        }
        known = workspace.database.fetch(
            _DocumentPath, "document_paths", document_ids=list(candidates)
        )
        taken = {item.document_id: item.path for item in known if item.path}
        for candidate, file in candidates.items():
            if taken.get(candidate, file.path) == file.path:
                ids[file.path] = candidate
        copy += 1
    return [ids[file.path] for file in files]


@dataclass(frozen=True, slots=True)
class _DocumentPath:
    document_id: str
    path: str


def _add_versions(workspace: Workspace, source: Source) -> list[_Outdated]:
    """A version for every document whose file holds another content, if its bytes are kept."""
    database = workspace.database
    outdated = [
        item
        for item in database.fetch(_Outdated, "outdated_documents", source_id=source.source_id)
        if item.problem_code or workspace.blobs.exists(item.content_hash)
    ]
    rows = [
        asdict(item) | {"version_id": derive_id("version", item.document_id, item.content_hash)}
        for item in outdated
    ]
    database.execute_many("add_version", rows)
    database.execute_many("set_current_version", rows)
    return outdated
