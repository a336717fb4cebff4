"""Which engines read pixels and sound for the readers, chosen by settings.

A `ToolChoice` is small and can be sent to a worker process; `load_tools` makes the tools of
it there, once, and each loads its networks when it is first used.
"""

from dataclasses import dataclass
from functools import cache

from alexandria.adapters.text_recognition import load_recognizer
from alexandria.adapters.transcription import load_transcriber
from alexandria.knowledge.parsing.recognizers import Tools
from alexandria.settings import Settings


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What `load_tools` loads; fields as the settings of the same names.

    Attributes:
        threads: How many one picture or recording may use; workers share the cores.
    """

    ocr_engine: str = "rapidocr"
    ocr_languages: tuple[str, ...] = ()
    transcription_model: str | None = None
    threads: int = 1


def choose_tools(settings: Settings) -> ToolChoice:
    """The choice the settings make."""
    return ToolChoice(
        ocr_engine=settings.ocr_engine,
        ocr_languages=settings.ocr_languages,
        transcription_model=settings.transcription_model,
        threads=settings.ocr_threads,
    )


@cache
def load_tools(choice: ToolChoice) -> Tools:
    """The tools of a choice; the same ones for the same choice in one process.

    Raises:
        ConfigurationError: An engine lacks a language or a model that was asked for.
    """
    return Tools(
        recognizer=load_recognizer(choice.ocr_engine, choice.ocr_languages, choice.threads),
        transcriber=load_transcriber(choice.transcription_model, choice.threads),
    )
