"""Coverage: how every file of a folder ends, and whether that is what its manifest says.

`python -m bench coverage FOLDER --manifest MANIFEST` ingests the folder with the command line
into a fresh home, then prints one line for each file and a total. A manifest is a CSV with
the columns `path` and `notes`. What a note says in one of these forms is held to the library:

    contains: "words"           they are in the document's text, or in that of a file inside it
    OCR should give: "words"    likewise
    speech: "words"             likewise, or it is in quarantine because nothing transcribes

White space does not count. A row whose notes say none of it must be published.
"""

import csv
import json
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from alexandria.errors import NoTextLayerError, NotFoundError
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.reading.documents import (
    DocumentDetail,
    find_documents,
    read_document,
    read_text,
)
from alexandria.workflows.reading.searching import search
from alexandria.workflows.workspace import Workspace
from bench.library import Library

FIRST = 3
"""Hits among which a phrase must be when it is searched for."""

_NOTE = re.compile(r'(contains|OCR should give|speech): "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Promise:
    """What a manifest says of a file.

    Attributes:
        phrase: Words that must be in its text; empty where it must only be published.
        is_spoken: Whether they are spoken: then it may also be in quarantine as sound.
    """

    phrase: str = ""
    is_spoken: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """How one file ended.

    Attributes:
        path: In its folder.
        state: Of its document; "absent" when there is none.
        found: Units found; the next two add up to it once the document is published.
        indexed: Units that readers find.
        quarantined: Units that were not read.
        codes: Why the document or its units are in quarantine, with counts of units.
        pictures: Pictures found in it.
        phrase: What the manifest says it contains.
        is_in_text: Whether it does; None without a phrase.
        is_searchable: Whether one of the first hits for the phrase is this document or holds it.
        ends_as_promised: Whether the manifest tells the truth; None for a file it does not name.
    """

    path: str
    state: str
    found: int = 0
    indexed: int = 0
    quarantined: int = 0
    codes: str = ""
    pictures: int = 0
    phrase: str = ""
    is_in_text: bool | None = None
    is_searchable: bool | None = None
    ends_as_promised: bool | None = None


def read_manifest(manifest: Path) -> dict[str, Promise]:
    """What a manifest says of each path."""
    with manifest.open(encoding="utf-8-sig", newline="") as lines:
        return {row["path"]: _promise(row["notes"]) for row in csv.DictReader(lines)}


def measure(library: Library, promises: Mapping[str, Promise]) -> list[Line]:
    """A line for every file of the library and every row of the manifest, by path."""
    _ = library.first_run
    with library.opened() as workspace:
        where = SearchFilter(tenant_id=workspace.settings.tenant_id)
        ids = {item.path: item.document_id for item in find_documents(workspace, where)}
        return [
            _line(workspace, path, ids.get(path), promises) for path in sorted({*ids, *promises})
        ]


def broken_promises(lines: Iterable[Line]) -> list[Line]:
    """The lines that end differently from what the manifest says."""
    return [line for line in lines if line.ends_as_promised is False]


def print_lines(lines: Sequence[Line], console: Console | None = None) -> None:
    """One line for each file, and a total."""
    table = Table(header_style="bold", title_justify="left")
    table.add_column("File", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for column in ("Units", "Indexed", "Quarantined", "Pictures"):
        table.add_column(column, justify="right")
    for column in ("Why", "In text", "Found", "As said"):
        table.add_column(column, no_wrap=True)
    for line in lines:
        table.add_row(*_cells(line))
    table.add_section()
    table.add_row(*_total(lines))
    console = console or Console()
    console.width = max(console.width, 180)
    console.print(table)


def to_json(lines: Sequence[Line]) -> str:
    """The lines, and whether all end as the manifest says."""
    rows = [asdict(line) for line in lines]
    value = {"files": rows, "is_as_promised": not broken_promises(lines)}
    return json.dumps(value, ensure_ascii=False, indent=2)


def _promise(notes: str) -> Promise:
    found = _NOTE.search(notes)
    return Promise(found[2], is_spoken=found[1] == "speech") if found else Promise()


def _line(
    workspace: Workspace, path: str, document_id: str | None, promises: Mapping[str, Promise]
) -> Line:
    promise = promises.get(path)
    if document_id is None:
        return Line(path, "absent", ends_as_promised=None if promise is None else False)
    detail = read_document(workspace, document_id)
    phrase = promise.phrase if promise else ""
    family = [detail, *_inside(workspace, detail)]
    is_in_text = any(_holds(_text(workspace, one), phrase) for one in family) if phrase else None
    copies = promises if is_in_text else {}
    return Line(
        path,
        state=detail.document.state,
        found=detail.coverage.found,
        indexed=detail.coverage.indexed,
        quarantined=detail.coverage.quarantined_count,
        codes=_codes(detail),
        pictures=detail.coverage.images,
        phrase=phrase,
        is_in_text=is_in_text,
        is_searchable=_is_searchable(workspace, phrase, family, copies) if phrase else None,
        ends_as_promised=_is_kept(promise, detail, is_in_text) if promise else None,
    )


def _is_kept(promise: Promise, detail: DocumentDetail, is_in_text: bool | None) -> bool:
    unheard = detail.problem is not None and detail.problem.code == NoTextLayerError.code
    if promise.is_spoken and unheard:
        return True
    return bool(is_in_text) if promise.phrase else detail.document.state == "published"


def _inside(workspace: Workspace, detail: DocumentDetail) -> Iterator[DocumentDetail]:
    """Documents that lie in a document's file, at any depth."""
    for attached in detail.attachments:
        nested = read_document(workspace, attached.document_id)
        yield nested
        yield from _inside(workspace, nested)


def _text(workspace: Workspace, detail: DocumentDetail) -> str:
    try:
        return read_text(workspace, detail.document.document_id).text
    except NotFoundError:
        return ""


def _is_searchable(
    workspace: Workspace, phrase: str, family: Sequence[DocumentDetail], copies: Container[str]
) -> bool:
    """Whether a reader who types the phrase gets this document, or a copy that holds it too.

    Only files of `copies` count as such: the manifest itself holds every phrase.
    """
    own = {one.document.document_id for one in family}
    where = SearchFilter(tenant_id=workspace.settings.tenant_id)
    hits = search(workspace, phrase, where, limit=FIRST)
    return any(
        hit.document_id in own or (hit.path in copies and _holds(hit.text, phrase)) for hit in hits
    )


def _holds(text: str, phrase: str) -> bool:
    return _plain(phrase) in _plain(text)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _codes(detail: DocumentDetail) -> str:
    whole = [detail.problem.code] if detail.problem else []
    units = [f"{count} {code}" for code, count in detail.coverage.quarantined.items()]
    return ", ".join(whole + units)


def _cells(line: Line) -> list[str]:
    return [
        line.path,
        line.state,
        f"{line.found:,}",
        f"{line.indexed:,}",
        f"{line.quarantined:,}",
        f"{line.pictures:,}",
        line.codes,
        *(_mark(value) for value in (line.is_in_text, line.is_searchable, line.ends_as_promised)),
    ]


def _mark(value: bool | None) -> str:
    return {True: "yes", False: "NO", None: ""}[value]


def _total(lines: Sequence[Line]) -> list[str]:
    return [
        f"{len(lines):,} files",
        f"{sum(line.state == 'published' for line in lines):,} published",
        f"{sum(line.found for line in lines):,}",
        f"{sum(line.indexed for line in lines):,}",
        f"{sum(line.quarantined for line in lines):,}",
        f"{sum(line.pictures for line in lines):,}",
        "",
        _share([line.is_in_text for line in lines]),
        _share([line.is_searchable for line in lines]),
        _share([line.ends_as_promised for line in lines]),
    ]


def _share(values: Sequence[bool | None]) -> str:
    asked = [value for value in values if value is not None]
    return f"{sum(asked)}/{len(asked)}"
