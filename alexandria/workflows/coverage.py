"""Coverage: of what documents consist of, how much is indexed, and why the rest is not.

There is one definition, used by status, documents, answers, assets and the coverage report:

    units found = units indexed + units pending + units in quarantine

A unit with a problem is in quarantine. A unit without one is indexed once its text is
published, and pending until then. Pictures are counted beside the units, never among them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alexandria.knowledge.documents import UnitKind
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.workspace import Workspace

NOTHING_MISSING = frozenset({"empty_page", "wordless_page"})
"""Codes of units that hold nothing: they are listed, and no text is lost with them."""

PLURALS: Mapping[UnitKind, str] = {
    UnitKind.PAGE: "pages",
    UnitKind.CHAPTER: "chapters",
    UnitKind.SLIDE: "slides",
    UnitKind.SHEET: "sheets",
    UnitKind.MESSAGE: "messages",
    UnitKind.TRANSCRIPT: "transcripts",
    UnitKind.IMAGE: "images",
    UnitKind.ARCHIVE: "archives",
    UnitKind.TEXT: "parts",
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was found in a document or a source, and what came of it.

    Attributes:
        found: Units found.
        indexed: Those that readers find.
        pending: Those that were read and are not published yet.
        quarantined: Those that were not read: how many by code.
        kinds: Units found by kind.
        missing: Units by kind whose text readers lack; a blank page lacks none.
        recognized: Units whose text was recognized from pixels or sound.
        images: Pictures found.
        images_with_text: Those in which text was recognized.
        notes: How many notes by code.
    """

    found: int = 0
    indexed: int = 0
    pending: int = 0
    quarantined: dict[str, int] = field(default_factory=dict[str, int])
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    missing: dict[str, int] = field(default_factory=dict[str, int])
    recognized: int = 0
    images: int = 0
    images_with_text: int = 0
    notes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def quarantined_count(self) -> int:
        """Units that were not read."""
        return sum(self.quarantined.values())

    @property
    def share(self) -> float:
        """Part of the units that is indexed or will be, 0..1; 1 when there are none."""
        return 1 - self.quarantined_count / self.found if self.found else 1.0

    @property
    def summary(self) -> str:
        """What is missing, such as "3 of 210 pages"; empty when nothing is."""
        parts = [
            f"{count:,} of {_counted(self.kinds[kind], kind)}"
            for kind, count in self.missing.items()
        ]
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class _Tally:
    owner: str
    what: str
    name: str
    problem: str
    is_published: bool
    amount: int


def document_coverage(
    workspace: Workspace, tenant_id: str, document_ids: Sequence[str]
) -> dict[str, Coverage]:
    """Coverage of documents by id, as readers see them: the published version if there is one."""
    found = _tallies(workspace, tenant_id, document_ids=list(document_ids))
    return {owner: _add_up(found.get(owner, ())) for owner in document_ids}


def source_coverage(workspace: Workspace, source_id: str | None = None) -> dict[str, Coverage]:
    """Coverage of one or every source by id, of its documents' current versions.

    A source without documents that were read is left out.
    """
    found = _tallies(workspace, workspace.tenant_id, source_id=source_id)
    return {owner: _add_up(tallies) for owner, tallies in found.items()}


def _tallies(
    workspace: Workspace,
    tenant_id: str,
    *,
    document_ids: list[str] | None = None,
    source_id: str | None = None,
) -> dict[str, list[_Tally]]:
    """By document as published where documents are named, else by source as current."""
    live = live_generation(workspace)
    tallies = workspace.database.fetch(
        _Tally,
        "coverage_tallies",
        document_ids=document_ids,
        source_id=source_id,
        tenant_id=tenant_id,
        generation_id=live.generation_id if live else "",
        by_source=document_ids is None,
        as_current=document_ids is None,
    )
    by_owner: dict[str, list[_Tally]] = {}
    for tally in tallies:
        by_owner.setdefault(tally.owner, []).append(tally)
    return by_owner


def _add_up(tallies: Sequence[_Tally]) -> Coverage:
    units = [tally for tally in tallies if tally.what == "unit"]
    read = [tally for tally in units if not tally.problem]
    unread = [tally for tally in units if tally.problem]
    images = [tally for tally in tallies if tally.what == "image"]
    return Coverage(
        found=_sum(units),
        indexed=_sum(tally for tally in read if tally.is_published),
        pending=_sum(tally for tally in read if not tally.is_published),
        quarantined=_count((tally.problem, tally.amount) for tally in unread),
        kinds=_count((tally.name, tally.amount) for tally in units),
        missing=_count(
            (tally.name, tally.amount) for tally in unread if tally.problem not in NOTHING_MISSING
        ),
        recognized=_sum(tally for tally in tallies if tally.what == "recognized"),
        images=_sum(images),
        images_with_text=_sum(tally for tally in images if tally.name == "text"),
        notes=_count((tally.name, tally.amount) for tally in tallies if tally.what == "note"),
    )


def _sum(tallies: Iterable[_Tally]) -> int:
    return sum(tally.amount for tally in tallies)


def _count(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Amounts by name, the largest first."""
    counts: Counter[str] = Counter()
    for name, amount in amounts:
        counts[name] += amount
    return dict(counts.most_common())


def _counted(count: int, kind: str) -> str:
    plural = PLURALS[UnitKind(kind)]
    return f"{count:,} {plural if count != 1 else plural.removesuffix('s')}"
