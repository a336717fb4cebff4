"""Progress bars: one for each stage, filled as its work is recorded."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

STAGES = {
    "source_files": "Looking for changes",
    "document_versions": "Keeping originals",
    "parsed_documents": "Reading documents",
    "chunks": "Cutting chunks",
    "chunk_embeddings": "Embedding",
    "image_embeddings": "Looking at pictures",
    "postgres_index": "Indexing in Postgres",
    "qdrant_index": "Indexing in Qdrant",
    "publications": "Publishing",
    "near_duplicates": "Looking for copies",
    "queries": "Asking",
}


class StageBars:
    """`Progress` for a terminal; use as a context manager around the run."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._bars = RichProgress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def expect(self, stage: str, total: int) -> None:
        """Show the stage's bar, or make it longer."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(STAGES.get(stage, stage), total=0)
        task = self._tasks[stage]
        known = self._bars.tasks[self._bars.task_ids.index(task)].total or 0
        self._bars.update(task, total=known + total)

    def advance(self, stage: str, amount: int = 1) -> None:
        """Fill the stage's bar."""
        self._bars.advance(self._tasks[stage], amount)
