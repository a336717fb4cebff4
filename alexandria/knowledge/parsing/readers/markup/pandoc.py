"""pandoc as a filter: a document in, HTML out, no files and no network.

pandoc is a program of its own. It ends with the process that started it, so that a worker
stopped at its limit of time does not leave it running.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from alexandria.errors import CorruptFileError

_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of Linux's prctl: the signal a process gets when its parent dies."""


def convert_to_html(content: bytes, markup: str, options: Sequence[str] = ()) -> str:
    """The HTML of a document in a format of pandoc's.

    Args:
        content: The document, UTF-8 where it is text.
        markup: pandoc's name of its format.
        options: Further options of pandoc.

    Raises:
        CorruptFileError: pandoc does not understand it.
    """
    import pypandoc

    command = [pypandoc.get_pandoc_path(), f"--from={markup}", "--to=html", "--sandbox", *options]
    done = subprocess.run(
        command,
        input=content,
        capture_output=True,
        check=False,
        preexec_fn=_end_with_parent() if sys.platform == "linux" else None,
    )
    if done.returncode:
        raise CorruptFileError(f"The document does not follow the {markup.upper()} format.")
    return done.stdout.decode("utf-8", "replace")


def _end_with_parent() -> Callable[[], None]:
    """What the new process does first; the library is loaded before it exists."""
    import ctypes

    library = ctypes.CDLL(None)
    return lambda: library.prctl(_DEATH_SIGNAL, signal.SIGKILL)
