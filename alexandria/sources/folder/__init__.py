"""The files of a folder, as a dlt source."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alexandria.sources.folder.listing import FileObservation, observe_changes

__all__ = ["FileObservation", "sync_folder"]

Sink = Callable[[Sequence[Mapping[str, Any]]], None]
BATCH_ROWS = 1000

_TEXT_COLUMNS = ("content_hash", "fingerprint", "problem_code", "problem_reason", "problem_advice")


def sync_folder(
    root: Path,
    known: Mapping[str, str],
    *,
    name: str,
    pipelines_folder: Path,
    max_bytes: int,
    now: float,
    write: Sink,
) -> int:
    """Run the dlt pipeline of one folder; returns how many files changed or went.

    Each batch of rows (a `FileObservation`, its problem flattened) is handed to `write`. What a
    killed run has not handed over is dropped: the folder itself tells what is there now.

    Args:
        root: The folder, or a single file.
        known: Path to fingerprint, as the last run left them.
        name: Names the pipeline's working folder.
        pipelines_folder: Where dlt keeps unfinished work.
        max_bytes: Larger files become rows with a problem.
        now: Seconds since the epoch.
        write: Takes each batch.
    """
    import dlt

    dlt.config["runtime.dlthub_telemetry"] = False
    observed = 0

    def observations() -> Iterator[dict[str, Any]]:
        nonlocal observed
        for observation in observe_changes(root, known, max_bytes=max_bytes, now=now):
            observed += 1
            yield _row(observation)

    def deliver(items: Any, table: Any) -> None:
        write(items)

    source_files = dlt.resource(observations, name="source_files", columns=_text_columns())
    destination = dlt.destination(
        deliver, batch_size=BATCH_ROWS, name="ledger", skip_dlt_columns_and_tables=True
    )
    pipeline = dlt.pipeline(
        f"source_files_{name.replace('-', '_')}",
        pipelines_dir=str(pipelines_folder),
        destination=destination,
    )
    pipeline.abort_packages()
    pipeline.run(source_files)
    return observed


def _row(observation: FileObservation) -> dict[str, Any]:
    problem = observation.problem
    return {
        "path": observation.path,
        "size_bytes": observation.size_bytes,
        "modified_at": observation.modified_at,
        "fingerprint": observation.fingerprint,
        "content_hash": observation.content_hash,
        "is_gone": observation.is_gone,
        "problem_code": problem.code if problem else None,
        "problem_reason": problem.reason if problem else None,
        "problem_advice": problem.advice if problem else None,
    }


def _text_columns() -> Any:
    return {name: {"data_type": "text", "nullable": True} for name in _TEXT_COLUMNS}
