"""What damaged files do to the pipeline: thousands of mutants through it, each accounted for.

Mutants are made from the files of a folder by a seed: cut, bits flipped, NULs and other bytes
put in, parts taken out, under their own extension or another's. They go through the stages
that read and cut documents, on a real home. Afterwards every document must be chunked or in
quarantine with a reason. Files that take text or speech recognition give a twentieth of the
mutants they would by their size, since each takes seconds.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from alexandria.settings import Settings
from alexandria.workflows.operating.generations import fed_generations
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.quality.checks import check_completeness
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.stages.chunking import chunk_documents
from alexandria.workflows.stages.ingestion import register_versions, sync_source_files
from alexandria.workflows.stages.parsing import parse_documents
from alexandria.workflows.workspace import Workspace, open_workspace
from bench.figures import Figure, Goal
from bench.memory import MemoryWatch

SEED = 20_261_121
NONE = Goal(0)
CRASHED = "reader_crashed"
HUNG = "reader_timeout"
ENDS = frozenset({"chunked", "quarantined"})

_RECOGNIZED = frozenset({"png", "jpg", "jpeg", "tif", "tiff", "gif", "bmp", "webp", "heic"}) | {
    *("mp3", "wav", "flac", "m4a", "ogg", "pdf", "pptx"),
}
_RARE = 0.05
_USUAL_SIZE = 256_000
_MEGABYTE = 1e6
_ALL = 10_000_000


@dataclass(frozen=True, slots=True)
class Survey:
    """Where the documents of a source ended.

    Attributes:
        states: Documents by state.
        reasons: Whole documents in quarantine by code.
        lost: Paths of documents in no final state, and of files that became no document.
        unexplained: Paths in quarantine without a reason.
        imbalance: What is wrong with the sum of their units; empty when it is right.
    """

    states: Counter[str]
    reasons: Counter[str]
    lost: list[str]
    unexplained: list[str]
    imbalance: str


def make_mutants(
    files: Mapping[str, bytes], count: int, seed: int = SEED
) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of mutants; the same files, count and seed give the same ones.

    Args:
        files: Contents by name. Large files give fewer mutants.
        count: How many mutants.
        seed: Of every choice.
    """
    chance = random.Random(seed)
    names = sorted(files)
    weights = [_weight(name, len(files[name])) for name in names]
    extensions = sorted({PurePath(name).suffix for name in names})
    for number, name in enumerate(chance.choices(names, weights, k=count)):
        stem, extension = PurePath(name).stem, PurePath(name).suffix
        if chance.random() < 0.25:
            extension = chance.choice(extensions)
        yield f"{number:05}-{stem}{extension}", _mutate(files[name], chance)


def run_stages(workspace: Workspace, source: Source) -> None:
    """Everything from looking at the folder to chunks."""
    sync_source_files(workspace, source)
    register_versions(workspace, source)
    parse_documents(workspace, source)
    for generation in fed_generations(workspace):
        chunk_documents(workspace, source, generation)


def survey(workspace: Workspace, source: Source, names: set[str]) -> Survey:
    """Where each file of the source, the workspace's only one, ended."""
    documents = list_documents(workspace, limit=_ALL)
    entries = read_status(workspace).quarantine
    whole = {entry.path: entry for entry in entries if not entry.unit}
    balance = check_completeness(workspace, source)
    lost = [one.path for one in documents if one.state not in ENDS]
    return Survey(
        states=Counter(one.state for one in documents),
        reasons=Counter(entry.code for entry in whole.values()),
        lost=lost + sorted(names - {one.path for one in documents}),
        unexplained=[
            one.path for one in documents if one.state == "quarantined" and one.path not in whole
        ]
        + [entry.path for entry in entries if not (entry.code and entry.reason and entry.advice)],
        imbalance="" if balance.is_passed else balance.description,
    )


def measure(folder: Path, scratch: Path, count: int) -> Iterator[Figure]:
    """Counts of what became of so many mutants of the folder's files."""
    files = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    home, library = scratch / "fuzz-home", scratch / "mutants"
    library.mkdir()
    for name, content in make_mutants(files, count):
        (library / name).write_bytes(content)
    names = {path.name for path in library.iterdir()}
    with open_workspace(Settings(home=home)) as workspace:
        source = add_source(workspace, library)
        started = time.perf_counter()
        with MemoryWatch(os.getpid(), home / "postgres") as watch:
            run_stages(workspace, source)
        seconds = time.perf_counter() - started
        found = survey(workspace, source, names)
    yield Figure("fuzz: mutants", count, "files")
    yield from _figures(found)
    yield Figure("fuzz: peak memory", watch.peaks.total / _MEGABYTE, "MB")
    yield Figure("fuzz: wall time", seconds, "s")


def _figures(found: Survey) -> Iterator[Figure]:
    for state, number in sorted(found.states.items()):
        yield Figure(f"fuzz: {state}", number, "documents")
    yield Figure("fuzz: in no final state", len(found.lost), "documents", goal=NONE)
    yield Figure("fuzz: without a reason", len(found.unexplained), "documents", goal=NONE)
    yield Figure("fuzz: units do not balance", int(bool(found.imbalance)), "checks", goal=NONE)
    yield Figure("fuzz: crashes", found.reasons[CRASHED], "documents")
    yield Figure("fuzz: hangs", found.reasons[HUNG], "documents")
    for code, number in sorted(found.reasons.items()):
        yield Figure(f"fuzz: quarantined, {code}", number, "documents")


def _weight(name: str, size: int) -> float:
    rare = PurePath(name).suffix.lower().removeprefix(".") in _RECOGNIZED
    return (_RARE if rare else 1.0) / (1 + size / _USUAL_SIZE)


def _mutate(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        content = chance.choice(_DAMAGES)(content, chance)
    return content


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


def _behead(content: bytes, chance: random.Random) -> bytes:
    return content[_place(content, chance) :]


def _flip(content: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(content)
    for _ in range(chance.choice((1, 8, 64)) if content else 0):
        flipped[_place(content, chance)] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _fill(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + bytes(chance.choice((1, 16, 4096))) + content[at:]


def _dirty(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + chance.randbytes(chance.choice((1, 64, 2048))) + content[at:]


def _take_out(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + content[at + chance.choice((1, 64, 4096)) :]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + content[at : at + 4096] * 4 + content[at:]


def _place(content: bytes, chance: random.Random) -> int:
    return chance.randrange(max(len(content), 1))


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_cut, _cut, _behead, _flip, _flip, _fill, _dirty, _take_out, _repeat),
)
