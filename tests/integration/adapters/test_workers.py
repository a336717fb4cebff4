"""Worker processes: a task that breaks down, hangs or eats memory costs itself alone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from alexandria.adapters.workers import Limits, Workers
from alexandria.errors import CorruptFileError

MEGABYTE = 2**20


def double(number: int) -> int:
    return 2 * number


def misbehave(how: str) -> str:
    if how == "hang":
        time.sleep(60)
    if how == "spin":
        while True:
            pass
    if how == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "hoard":
        return str(len(bytearray(1024 * MEGABYTE)))
    if how == "give up":
        os.write(
            2, b"memory allocation of 838860800 bytes failed\nstack backtrace:\n" + bytes(9999)
        )
        os.abort()
    if how == "refuse":
        raise CorruptFileError("It is torn.", advice="Mend it.")
    return f"{how} done"


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(2, Limits(512 * MEGABYTE, seconds=2)) as opened:
        yield opened


def test_every_task_is_done_once(workers: Workers) -> None:
    done = list(workers.run(double, range(50)))
    assert sorted(one.task for one in done) == list(range(50))
    assert all(one.result == 2 * one.task for one in done)


def test_the_workers_are_other_processes(workers: Workers) -> None:
    pids = {one.result for one in workers.run(_pid, range(20))}
    assert pids
    assert os.getpid() not in pids


def _pid(_: int) -> int:
    return os.getpid()


def test_what_goes_wrong_in_a_task_ends_that_task_only(workers: Workers) -> None:
    ways = ["fine", "hang", "spin", "die", "hoard", "refuse", "well"]
    errors = {one.task: one.error for one in workers.run(misbehave, ways)}
    assert errors["fine"] is None
    assert errors["well"] is None
    assert isinstance(errors["hang"], TimeoutError)
    assert isinstance(errors["spin"], TimeoutError)
    assert isinstance(errors["die"], ChildProcessError)
    assert isinstance(errors["hoard"], MemoryError)
    assert isinstance(errors["refuse"], CorruptFileError)
    assert (str(errors["refuse"]), errors["refuse"].advice) == ("It is torn.", "Mend it.")


def test_a_library_that_gives_up_for_want_of_memory_is_told_from_one_that_breaks(
    workers: Workers, capfd: pytest.CaptureFixture[str]
) -> None:
    ways = ["fine", "give up", "well", "give up", "die"]
    errors = [(one.task, type(one.error)) for one in workers.run(misbehave, ways)]
    assert sorted(errors, key=str) == sorted(
        [
            *(("fine", type(None)), ("well", type(None)), ("die", ChildProcessError)),
            *[("give up", MemoryError)] * 2,
        ],
        key=str,
    )
    assert "backtrace" not in capfd.readouterr().err


def test_a_task_may_have_its_own_limit_of_time(workers: Workers) -> None:
    slow = list(workers.run(_nap, [0.1, 3.0], seconds=lambda nap: nap + 2))
    assert [one.error for one in slow] == [None, None]


def _nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_no_more_tasks_are_taken_than_the_workers_need(workers: Workers) -> None:
    tasks = iter(range(100))
    running = workers.run(double, tasks)
    next(running)
    assert next(tasks) <= 4
    running.close()


def test_workers_start_again_after_they_were_closed(workers: Workers) -> None:
    assert len(list(workers.run(double, range(3)))) == 3
    workers.close()
    assert len(list(workers.run(double, range(3)))) == 3


ORPHANS = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from test_workers import Limits, Workers, _pid
with Workers(2, Limits(2**29, seconds=60)) as workers:
    print(*{one.result for one in workers.run(_pid, range(20))}, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_when_the_process_that_started_them_is_killed() -> None:
    here = os.path.dirname(__file__)  # noqa: PTH120 (it is put on the path of another process)
    killed = subprocess.run(
        [sys.executable, "-c", ORPHANS, here], check=False, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    pids = [int(pid) for pid in killed.stdout.split()]
    assert pids
    for _ in range(100):
        if not any(map(psutil.pid_exists, pids)):
            return
        time.sleep(0.1)
    pytest.fail(f"workers {pids} outlive the process that started them")


def _wait_for_pandoc(_: int) -> None:
    """A reader that never gets an answer from pandoc."""
    from unittest.mock import patch

    from alexandria.knowledge.parsing.readers.markup.pandoc import convert_to_html

    with patch("pypandoc.get_pandoc_path", return_value=shutil.which("sleep")):
        patch("subprocess.run", _sleep_instead).start()
        convert_to_html(b"", "odt")


_RUN = subprocess.run


def _sleep_instead(command: list[str], **options: Any) -> object:
    return _RUN([command[0], SLEEP], **options)


SLEEP = "4711"


def test_what_a_reader_started_ends_with_its_worker(workers: Workers) -> None:
    (done,) = workers.run(_wait_for_pandoc, [0])
    assert isinstance(done.error, TimeoutError)
    time.sleep(0.5)
    left = [one for one in psutil.process_iter(["cmdline"]) if SLEEP in (one.info["cmdline"] or [])]
    assert not left
