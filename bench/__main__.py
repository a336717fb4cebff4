"""`python -m bench [NAME] [FOLDER]`: run benchmarks and show every figure with its goal.

NAME is one of the modules beside this one, or "all". FOLDER is what is ingested, by default
the sample library of this repository; it is copied, never written to. A goal that a small
folder cannot reach is shown as not met: the ingest goals are meant for a corpus of some size.
`coverage` measures no speed and is not among "all": it prints how every file ended, and exits
with 1 when one of them does not end as --manifest says. Neither is `fuzz`, which sends
--mutants damaged copies of the files through the pipeline.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import (
    coverage,
    drop,
    edit,
    embedding,
    fuzz,
    ingest,
    ocr,
    resync,
    retrieval,
    search,
    security,
)
from bench.figures import Figure, print_table, to_json
from bench.library import Library

SAMPLE = Path(__file__).resolve().parents[1] / "sample" / "library"


@dataclass(frozen=True, slots=True)
class Ground:
    """What benchmarks work on: a folder, the library made of it, labelled sets."""

    folder: Path
    library: Library
    labelled: list[Path]


def _retrieval(ground: Ground) -> Iterator[Figure]:
    for folder in ground.labelled:
        yield from retrieval.measure(folder)


BENCHMARKS: Mapping[str, Callable[[Ground], Iterator[Figure]]] = {
    "ingest": lambda ground: ingest.measure(ground.library),
    "resync": lambda ground: resync.measure(ground.library),
    "edit": lambda ground: edit.measure(ground.library),
    "search": lambda ground: search.measure(ground.library),
    "security": lambda ground: security.measure(ground.library),
    "drop": lambda ground: drop.measure(ground.library),
    "embedding": lambda ground: embedding.measure(ground.folder),
    "ocr": lambda ground: ocr.measure(ground.folder),
    "retrieval": _retrieval,
}
_NAMES = ("all", "coverage", "fuzz", *BENCHMARKS)


def main() -> None:
    """Measure and print; but for `coverage`, the exit code tells only whether that worked."""
    options = _options()
    if options.name == "coverage":
        sys.exit(_cover(options.folder, options.manifest, as_json=options.json))
    chosen = list(BENCHMARKS) if options.name == "all" else [options.name]
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        if options.name == "fuzz":
            figures = list(_told(fuzz.measure(options.folder, Path(scratch), options.mutants)))
        else:
            library = Library(options.folder, Path(scratch), with_ocr=not options.without_ocr)
            ground = Ground(options.folder, library, options.labelled)
            figures = [figure for name in chosen for figure in _told(BENCHMARKS[name](ground))]
    if options.json:
        print(to_json(machine, figures))
    else:
        print(", ".join(f"{name} {value}" for name, value in machine.items()))
        print_table(figures)


def describe_machine() -> dict[str, object]:
    """What a reader must know to judge seconds: processors, and how busy they were."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "load before": [round(value, 1) for value in os.getloadavg()],
    }


def _cover(folder: Path, manifest: Path | None, *, as_json: bool) -> int:
    """Ingest the folder and print how each file ended; the exit code of the command."""
    promises = coverage.read_manifest(manifest) if manifest else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        lines = coverage.measure(Library(folder, Path(scratch)), promises)
    if as_json:
        print(coverage.to_json(lines))
    else:
        coverage.print_lines(lines)
    return 1 if coverage.broken_promises(lines) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", default="all", choices=_NAMES)
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument(
        "--labelled", type=Path, action="append", default=[],
        help="labelled set for `retrieval`, as `alexandria evaluate` reads it; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--manifest", type=Path, help="CSV for `coverage`: what each file must yield"
    )
    parser.add_argument("--mutants", type=int, default=2000, help="damaged files that `fuzz` makes")
    parser.add_argument(
        "--without-ocr", action="store_true", help="leave the text in pictures unread"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    if options.name == "retrieval" and not options.labelled:
        parser.error("retrieval needs --labelled FOLDER")
    if options.manifest and not options.manifest.is_file():
        parser.error(f"{options.manifest} is no file")
    return options


def _told(figures: Iterator[Figure]) -> Iterator[Figure]:
    """The figures, each said on the error stream as soon as it is known."""
    for figure in figures:
        print(f"{figure.name}: {figure.measured:.4g} {figure.unit}", file=sys.stderr, flush=True)
        yield figure


if __name__ == "__main__":
    main()
