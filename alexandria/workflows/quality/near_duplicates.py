"""Near duplicates: documents that hold the same text, linked to the best copy among them.

Signatures are made once for each text. Links are worked out anew from all signatures of the
tenant, so a deleted document or a new version takes its links away, and written where they
differ from what the ledger holds. Only documents that are alike themselves are linked: of a
row of drafts, each a little unlike the last, the first and the last are no copies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from alexandria.knowledge.likeness import (
    METHOD,
    SKETCH_BYTES,
    Copy,
    Signature,
    are_copies,
    candidate_pairs,
    likeness,
    read_sketches,
    stars,
)
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.checks import CheckOutcome
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.workspace import Workspace

SAME_TEXT = "same text"
"""The method of a link between documents with one parse: nothing had to be compared."""


@dataclass(frozen=True, slots=True)
class _Signed:
    document_id: str
    parse_id: str
    media_type: str
    run_count: int
    sketch: bytes
    units_unread: int
    created_at: datetime

    @property
    def copy(self) -> Copy:
        return Copy(
            self.document_id, self.media_type, self.units_unread, self.run_count, self.created_at
        )


@dataclass(frozen=True, slots=True)
class _Stored:
    parse_id: str
    run_count: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class _Link:
    document_id: str
    best_document_id: str
    similarity: float
    method: str


def link_copies(workspace: Workspace, source: Source) -> StageReport:
    """Sign what is new and link the copies among all documents of the source's tenant.

    One run at a time does this for a tenant; the others wait and then find less to do.
    """
    with stage_report("quality/near_duplicates") as report:
        with workspace.database.lock(f"near duplicates of {source.tenant_id}"):
            signed = _sign(workspace, source.tenant_id)
            links = _find_links(workspace, source.tenant_id)
            changed = _keep(workspace, source.tenant_id, links)
        report.row_count = signed + changed
        report.details = {
            "texts_signed": signed,
            "links_changed": changed,
            "copies": len(links),
            "works_with_copies": len({link.best_document_id for link in links}),
        }
    return report


def check_copies(workspace: Workspace, source: Source) -> CheckOutcome:
    """Every copy leads to a live document of its tenant that has no better copy itself."""
    broken = workspace.database.column("broken_links", tenant_id=source.tenant_id)
    words = f"{len(broken)} links lead astray" + (f": {', '.join(broken[:3])}." if broken else ".")
    return CheckOutcome(not broken, words, {"broken_links": len(broken)})


def _sign(workspace: Workspace, tenant_id: str) -> int:
    database = workspace.database
    pending: list[str] = database.column("pending_signatures", tenant_id=tenant_id, method=METHOD)
    workspace.progress.expect("near_duplicates", len(pending))
    for parse_id in pending:
        signature = Signature.of(database.value("parsed_text", parse_id=parse_id))
        database.execute(
            "add_signature",
            parse_id=parse_id,
            method=METHOD,
            run_count=signature.run_count,
            signature=signature.to_bytes(),
        )
        workspace.progress.advance("near_duplicates")
    return len(pending)


def _find_links(workspace: Workspace, tenant_id: str) -> list[_Link]:
    documents = workspace.database.fetch(
        _Signed,
        "signed_documents",
        tenant_id=tenant_id,
        method=METHOD,
        sketch_bytes=SKETCH_BYTES,
    )
    by_text: dict[str, list[_Signed]] = {}
    for document in sorted(documents, key=lambda item: item.copy.standing):
        by_text.setdefault(document.parse_id, []).append(document)
    best = [copies[0] for copies in by_text.values()]
    links = [
        _Link(copy.document_id, first.document_id, 1.0, SAME_TEXT)
        for first, *others in by_text.values()
        for copy in others
    ]
    found = {link.document_id: link for link in _alike(workspace, best)}
    followed = [_follow(link, found.get(link.best_document_id)) for link in links]
    return sorted([*followed, *found.values()], key=lambda link: link.document_id)


def _follow(link: _Link, onward: _Link | None) -> _Link:
    """A link to a document that turned out to be a copy leads on to the best one."""
    return replace(onward, document_id=link.document_id) if onward else link


def _alike(workspace: Workspace, documents: Sequence[_Signed]) -> Iterator[_Link]:
    """The links of all works; `documents` come the best first, each with a text of its own."""
    pairs = candidate_pairs(
        read_sketches([document.sketch for document in documents]),
        np.array([document.run_count for document in documents], dtype=np.int64),
    )
    wanted = sorted({documents[row].parse_id for row in np.unique(pairs)})
    stored = workspace.database.fetch(_Stored, "read_signatures", parse_ids=wanted)
    signatures = {
        item.parse_id: Signature.from_bytes(item.run_count, item.signature) for item in stored
    }
    near: dict[int, set[int]] = {}
    for one, other in pairs.tolist():
        if are_copies(*(signatures[documents[row].parse_id] for row in (one, other))):
            near.setdefault(one, set()).add(other)
            near.setdefault(other, set()).add(one)

    def signature(row: int) -> Signature:
        return signatures[documents[row].parse_id]

    for best, copy in stars(near, lambda *rows: are_copies(*map(signature, rows))):
        similarity = round(likeness(signature(best), signature(copy)), 4)
        yield _Link(documents[copy].document_id, documents[best].document_id, similarity, METHOD)


def _keep(workspace: Workspace, tenant_id: str, links: Sequence[_Link]) -> int:
    """Bring the ledger in line; returns how many links were written or taken away."""
    database = workspace.database
    columns = {
        "document_ids": [link.document_id for link in links],
        "best_document_ids": [link.best_document_id for link in links],
    }
    with database.transaction():
        gone = database.execute("forget_near_duplicates", tenant_id=tenant_id, **columns)
        new = database.execute(
            "add_near_duplicates",
            similarities=[link.similarity for link in links],
            methods=[link.method for link in links],
            **columns,
        )
    return gone + new
