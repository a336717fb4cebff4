"""Re-count every store against the ledger. `alexandria verify` prints what this returns."""

from dataclasses import dataclass

from alexandria.workflows.operating.generations import Generation, fed_generations
from alexandria.workflows.stages.embedding import STAGING_BATCH, batches, pending_removals
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Count:
    """One thing counted twice: as the ledger says, and as the store holds it."""

    store: str
    what: str
    expected: int
    found: int

    @property
    def is_equal(self) -> bool:
        """Whether both counts agree."""
        return self.expected == self.found


def verify(workspace: Workspace) -> list[Count]:
    """Every count, in order of the stores; all must be equal in a sound library."""
    counts = _verify_ledger(workspace)
    for generation in fed_generations(workspace):
        counts += _verify_generation(workspace, generation)
    return counts


def repair_qdrant(workspace: Workspace) -> int:
    """Bring Qdrant back in line with Postgres; returns how many points were written or dropped.

    Qdrant is a projection: whatever it lost, such as its whole folder, is written again
    from the entries in Postgres, and no text is embedded for it.
    """
    repaired = 0
    for generation in fed_generations(workspace):
        entries = workspace.postgres_index(generation)
        wanted = entries.chunk_ids()
        with workspace.qdrant_index(generation) as qdrant:
            points = qdrant.chunk_ids()
            missing, extra = sorted(wanted - points), points - wanted
            for batch in batches(missing, STAGING_BATCH):
                qdrant.upsert(entries.entries(batch))
            qdrant.delete(extra)
        repaired += len(missing) + len(extra)
        workspace.database.execute(
            "mark_points", generation_id=generation.generation_id, chunk_ids=missing
        )
        workspace.database.execute("forget_index_removals", generation_id=generation.generation_id)
    return repaired


def _verify_ledger(workspace: Workspace) -> list[Count]:
    tenant = workspace.tenant_id
    parameters = {"source_id": None, "tenant_id": tenant, "only_staged": False}
    hashes = set(workspace.database.column("current_contents", **parameters))
    held = set(workspace.database.column("held_contents", source_id=None, tenant_id=tenant))
    stored = workspace.blobs.hashes()
    unaccounted = workspace.database.column("unaccounted_units", **parameters)
    unread = workspace.database.column("unread_versions", **parameters)
    return [
        Count("blobs", "contents of current versions", len(hashes), len(hashes & stored)),
        Count("blobs", "pictures and files in them", len(held), len(held & stored)),
        Count("ledger", "units neither indexed nor in quarantine", 0, len(unaccounted)),
        Count("ledger", "versions neither read nor in quarantine", 0, len(unread)),
    ]


def _verify_generation(workspace: Workspace, generation: Generation) -> list[Count]:
    database = workspace.database
    key = {"generation_id": generation.generation_id}
    expected = set(database.column("published_chunk_ids", **key))
    published = set(database.column("published_entry_ids", **key))
    entries = workspace.postgres_index(generation).chunk_ids()
    with workspace.qdrant_index(generation) as qdrant:
        points = qdrant.chunk_ids()
    store = f"generation {generation.generation_id}"
    return [
        Count(store, "published chunks in Postgres", len(expected), len(published & expected)),
        Count(store, "entries in Postgres beyond those", 0, len(published - expected)),
        Count(store, "published chunks in Qdrant", len(expected), len(points & expected)),
        Count(store, "points in Qdrant beyond the entries", 0, len(points - entries)),
        Count(store, "removals Qdrant still owes", 0, len(pending_removals(workspace, generation))),
        Count(
            store,
            "published chunks without a vector",
            0,
            int(database.value("unembedded_chunks", model_id=generation.model_id, **key)),
        ),
        Count(
            store, "terms counted wrongly", 0, int(database.value("wrong_term_statistics", **key))
        ),
        Count(
            store,
            "entries by the running count",
            int(database.value("count_rows_of_generation", **key)),
            generation.entry_count,
        ),
    ]
