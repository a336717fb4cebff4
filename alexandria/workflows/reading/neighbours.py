"""Neighbours: the chunks just before and after a chunk in the version that readers see."""

from collections.abc import Sequence
from dataclasses import dataclass

from alexandria.workflows.operating.generations import Generation
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Neighbour:
    hit_id: str
    distance: int
    body: str


def read_neighbours(
    workspace: Workspace,
    generation: Generation,
    chunk_ids: Sequence[str],
    *,
    across_units: bool = False,
) -> tuple[dict[str, str], dict[str, str]]:
    """Texts before and texts after chunks, by chunk id; of the same page, unless of any."""
    neighbours = workspace.database.fetch(
        _Neighbour,
        "read_neighbours",
        chunk_ids=list(chunk_ids),
        generation_id=generation.generation_id,
        across_units=across_units,
        reach=1,
    )
    before = {item.hit_id: item.body for item in neighbours if item.distance < 0}
    after = {item.hit_id: item.body for item in neighbours if item.distance > 0}
    return before, after
