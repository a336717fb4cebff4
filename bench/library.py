"""A throwaway library for the benchmarks: a copy of a folder, a fresh home, the real command.

The first ingest is what `ingest` measures; the others start from what it left, so that one
run of all benchmarks embeds the folder once. Nothing outside the scratch folder is written.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace, open_workspace
from bench.memory import MemoryWatch, Peaks

COMMAND = Path(sys.executable).with_name("alexandria")

_STAGES = """
    SELECT asset, sum(row_count)::bigint, sum(elapsed_seconds), sum(model_seconds),
        extract(epoch FROM max(finished_at))
    FROM insights.stage_runs WHERE run_id = %s GROUP BY asset ORDER BY max(finished_at)
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one asset did in one run; `finished` is in seconds since the epoch."""

    asset: str
    rows: int
    seconds: float
    model_seconds: float
    finished: float


@dataclass(frozen=True, slots=True)
class Run:
    """One `alexandria ingest`: wall seconds from start to exit of the process."""

    seconds: float
    started: float
    summary: dict[str, Any]
    stages: list[Stage]
    memory: Peaks

    def rows(self, asset: str) -> int:
        """Rows an asset wrote; 0 when it found nothing to do."""
        return sum(stage.rows for stage in self.stages if stage.asset == asset)

    @property
    def model_seconds(self) -> float:
        """Wall time inside the embedding model."""
        return sum(stage.model_seconds for stage in self.stages)


class Library:
    """A home in `scratch` and a copy of `folder` beside it.

    Args:
        folder: What to ingest; only read.
        scratch: An empty folder, removed by whoever made it.
        with_ocr: Whether the text in pictures is recognized.
    """

    def __init__(self, folder: Path, scratch: Path, *, with_ocr: bool = True) -> None:
        self._with_ocr = with_ocr
        self.home = scratch / "home"
        self.folder = scratch / "library"
        shutil.copytree(folder, self.folder, copy_function=shutil.copy)
        for path in (self.folder, *self.folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    @cached_property
    def first_run(self) -> Run:
        """The ingest that fills the home."""
        return self.ingest()

    @cached_property
    def idle_run(self) -> Run:
        """An ingest that finds nothing changed."""
        _ = self.first_run
        return self.ingest()

    def ingest(self) -> Run:
        """Run the command on the folder and wait for it.

        Raises:
            RuntimeError: It failed; the message is what it said.
        """
        started, clock = time.time(), time.perf_counter()
        process = subprocess.Popen(
            [COMMAND, "ingest", self.folder, "--name", "bench", "--home", self.home, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            text=True,
        )
        with MemoryWatch(process.pid, self.home / "postgres") as watch:
            said, complained = process.communicate()
        seconds = time.perf_counter() - clock
        if process.returncode:
            raise RuntimeError(f"`alexandria ingest` failed.\n{complained}\n{said}")
        summary: dict[str, Any] = json.loads(said)[0]
        stages = self._stages(str(summary["run_id"]))
        return Run(seconds, started, summary, stages, watch.peaks)

    def environment(self) -> dict[str, str]:
        """The environment of a child: ours, without settings that name other stores."""
        others = {
            key: value for key, value in os.environ.items() if not key.startswith("ALEXANDRIA_")
        }
        ours = {"ALEXANDRIA_HOME": str(self.home)}
        if not self._with_ocr:
            ours["ALEXANDRIA_OCR_ENGINE"] = "off"
        return others | ours

    @contextmanager
    def opened(self) -> Generator[Workspace]:
        """The home's workspace in this process."""
        with open_workspace(Settings(home=self.home)) as workspace:
            yield workspace

    @contextmanager
    def connected(self) -> Generator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection to the ledger."""
        with self.opened() as workspace, psycopg.connect(workspace.database.address) as connection:
            yield connection

    def _stages(self, run_id: str) -> list[Stage]:
        with self.connected() as connection:
            found = connection.execute(_STAGES, (run_id,)).fetchall()
        return [Stage(str(row[0]), int(row[1]), *map(float, row[2:])) for row in found]
