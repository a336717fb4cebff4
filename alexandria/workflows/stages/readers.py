"""Who may read the files of a source, as its folder's rules and the place of each file tell."""

from collections.abc import Mapping, Sequence

from alexandria.identity.access import PRIVATE_UPLOADS
from alexandria.identity.principals import read_id
from alexandria.sources.folder.access import AccessRules
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.workspace import Workspace


def record_readers(workspace: Workspace, source: Source, rules: AccessRules) -> None:
    """Bring who may read each file in line with the rules of the folder."""
    database = workspace.database
    listed: list[tuple[str, list[str] | None]] = database.pairs(
        "listed_readers", source_id=source.source_id
    )
    wanted = readers_by_path(workspace, source, rules, [path for path, _ in listed])
    rows = [
        {"source_id": source.source_id, "path": path, "readers": wanted[path]}
        for path, known in listed
        if wanted[path] != known
    ]
    database.execute_many("set_readers", rows)


def readers_by_path(
    workspace: Workspace, source: Source, rules: AccessRules, paths: Sequence[str]
) -> dict[str, list[str] | None]:
    """Who may read each file of a source; None where it is whoever the source is for."""
    shown_with: dict[str, list[str]] = {}
    if source.kind == "upload":
        folders = {path.split("/")[0] for path in paths if "/" in path}
        shown_with = dict(
            workspace.database.pairs(
                "readers_of_documents",
                tenant_id=source.tenant_id,
                document_ids=[folder for folder in folders if read_id(folder) == folder],
            )
        )
    return {path: _readers_of(source, path, rules, shown_with) for path in paths}


def _readers_of(
    source: Source, path: str, rules: AccessRules, shown_with: Mapping[str, list[str]]
) -> list[str] | None:
    """What was uploaded for oneself is for oneself, and with a document for its readers.

    Anything else follows the rules of the folder.
    """
    first, *rest = path.split("/")
    if source.kind == "upload" and len(rest) > 1 and first == PRIVATE_UPLOADS:
        return [f"user:{rest[0]}"]
    return shown_with.get(first) if rest and first in shown_with else rules.readers_of(path)
