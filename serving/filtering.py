"""From the names a client writes to the ids a search takes.

An empty side of a `SearchFilter` is open. A side that was asked for and matches nothing must
therefore never become empty: it gets an id that nothing has.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from alexandria.errors import InvalidInputError
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.sources import Source, list_sources
from alexandria.workflows.reading.documents import named_documents
from alexandria.workflows.workspace import Workspace
from serving.schemas.filters import DateRange, DocumentFilters

NOTHING = str(UUID(int=0))


def resolve_filter(
    workspace: Workspace, filters: DocumentFilters, selected_files: Sequence[str] = ()
) -> SearchFilter:
    """The filter of a request; `selected_files` adds to those inside `filters`.

    Raises:
        InvalidInputError: A source or a document is named that is not there.
    """
    dates = filters.date_range or DateRange()
    names = list(dict.fromkeys([*filters.selected_files, *selected_files]))
    return SearchFilter(
        tenant_id=workspace.tenant_id,
        access_ids=workspace.everything.access_ids,
        source_ids=_source_ids(workspace, filters),
        languages=tuple(filters.languages),
        tags=tuple(filters.tags),
        document_ids=_document_ids(workspace, names),
        modified_from=_moment(dates.first, time.min),
        modified_to=_moment(dates.last, time.max),
    )


def _source_ids(workspace: Workspace, filters: DocumentFilters) -> tuple[str, ...]:
    if not filters.sources and not filters.source_types:
        return ()
    sources = list_sources(workspace)
    _refuse_unknown("source", filters.sources, {source.name for source in sources})
    chosen = tuple(source.source_id for source in sources if _is_chosen(source, filters))
    return chosen or (NOTHING,)


def _is_chosen(source: Source, filters: DocumentFilters) -> bool:
    is_named = not filters.sources or source.name in filters.sources
    is_of_type = not filters.source_types or source.kind in filters.source_types
    return is_named and is_of_type


def _document_ids(workspace: Workspace, names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    by_name: dict[str, set[str]] = {}
    for document in named_documents(workspace, names):
        for name in (document.document_id, document.path, document.title):
            by_name.setdefault(name, set()).add(document.document_id)
    _refuse_unknown("document", names, by_name)
    return tuple(sorted(set[str]().union(*(by_name[name] for name in names))))


def _refuse_unknown(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    unknown = [name for name in names if name not in set(known)]
    if unknown:
        listed = ", ".join(f'"{name}"' for name in unknown)
        raise InvalidInputError(f"No {kind} is known as {listed}; leave it out or correct it.")


def _moment(day: date | None, at: time) -> datetime | None:
    return datetime.combine(day, at, tzinfo=UTC) if day else None
