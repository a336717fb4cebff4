"""Speech recognition through faster-whisper, where its package and a model are installed.

Nothing is downloaded: the model is a folder, or a name whose files are on this machine
already. The same recording always gives the same text, so nothing is sampled: where the
model is unsure its confidence says so.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, cast

from alexandria.errors import ModelMissingError, RecognitionFailedError
from alexandria.knowledge.parsing.recognizers import SpokenLine, Transcriber

_PACKAGE = "faster_whisper"
_DAMAGE = (OSError, EOFError, ValueError, IndexError, RuntimeError)
"""What the package raises on a recording that it cannot decode."""


class _Segment(Protocol):
    """A stretch of speech, as the package describes it."""

    start: float
    end: float
    text: str
    avg_logprob: float


def load_transcriber(model: str | None, threads: int = 1) -> Transcriber | None:
    """What writes down the words in recordings; None when the setting names no model.

    The model is loaded on first use.

    Args:
        model: A folder with a model for faster-whisper, or a name such as "small".
        threads: Of the processor, for one recording.

    Raises:
        ModelMissingError: The package is not installed, or there is no such folder.
    """
    if not model:
        return None
    if find_spec(_PACKAGE) is None:
        raise ModelMissingError(
            "ALEXANDRIA_TRANSCRIPTION_MODEL is set, but speech recognition is not installed; "
            'run `pip install "alexandria[transcription]"`.'
        )
    if Path(model).parent != Path() and not Path(model).is_dir() and model.count("/") != 1:
        raise _missing(model)
    return FasterWhisper(model, threads)


@dataclass(frozen=True)
class FasterWhisper:
    """A transcriber with one Whisper model on the processor, at 8 bits.

    Attributes:
        model: Its folder or name.
        threads: For one recording.
    """

    model: str
    threads: int = 1

    def transcribe(self, content: bytes) -> list[SpokenLine]:
        """What is said in a recording, in order; silence is passed over.

        Raises:
            ModelMissingError: The model's files are not on this machine.
            RecognitionFailedError: The bytes are no recording that can be decoded.
        """
        network = self._network
        try:
            found, _ = network.transcribe(
                BytesIO(content),
                beam_size=5,
                temperature=0.0,
                condition_on_previous_text=False,
                vad_filter=True,
            )
            segments = list(cast(Iterable[_Segment], found))
        except _DAMAGE as error:
            raise RecognitionFailedError(
                f"The recording cannot be transcribed: {type(error).__name__}: {error}"
            ) from error
        return [_line(one) for one in segments if one.text.strip()]

    @cached_property
    def _network(self) -> Any:
        package: Any = import_module(_PACKAGE)
        try:
            return package.WhisperModel(
                self.model,
                device="cpu",
                compute_type="int8",
                cpu_threads=self.threads,
                local_files_only=True,
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise _missing(self.model) from error


def _line(segment: _Segment) -> SpokenLine:
    confidence = min(max(math.exp(segment.avg_logprob), 0.0), 1.0)
    return SpokenLine(segment.text.strip(), segment.start, segment.end, confidence)


def _missing(model: str) -> ModelMissingError:
    return ModelMissingError(
        f"The speech model {model} is not on this machine; put its folder here and name it in "
        "ALEXANDRIA_TRANSCRIPTION_MODEL."
    )
