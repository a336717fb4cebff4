"""The one place that changes another library: unstructured without its downloads.

unstructured loads spaCy's `en_core_web_sm` to guess what a paragraph is, and downloads it
where it is absent; without a network that fails. Nothing here uses those guesses, so a
blank English pipeline that only splits sentences takes its place, on every machine alike:
if an installed model were used, the same file could parse differently elsewhere. Its usage
reports are turned off as well, by the variables it reads.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, cast

_SWITCHES = {
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "1",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
}


@cache
def use_offline_sentences() -> None:
    """Make unstructured run without network; call before importing its partitioners."""
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    with _unimportable("torch"):
        from unstructured.nlp import tokenize

    tokenize._load_spacy_model = _blank_pipeline  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    tokenize._get_nlp.cache_clear()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


@contextmanager
def _unimportable(name: str) -> Generator[None]:
    """Keep a module out of this process while another is imported that would like to have it.

    spaCy takes torch where it is installed: a second and 180 MB for what no blank pipeline
    uses. A module that is loaded already stays.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast(ModuleType, None)
    try:
        yield
    finally:
        del sys.modules[name]


def _blank_pipeline() -> Any:
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline
