"""What a reader may call on to turn pixels and sound into text.

The readers know these as protocols; adapters implement them with whatever engine is
installed. Where a tool is missing, what only it could read is quarantined with advice.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """A line of text found in a picture.

    Attributes:
        text: What it says.
        confidence: 0..1.
        left: Of its box, in pixels of the picture given; the origin is top left.
        top: Likewise.
        right: Likewise.
        bottom: Likewise.
    """

    text: str
    confidence: float
    left: float
    top: float
    right: float
    bottom: float


class TextRecognizer(Protocol):
    """Reads the text in pictures (OCR)."""

    def recognize(self, picture: "Picture") -> list[RecognizedLine]:
        """The lines in a picture of any mode, size and quarter turn.

        Boxes are those of the picture turned upright. No line at all when there is no text.
        """
        ...


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """Something said in a recording: from and to in seconds, and confidence 0..1."""

    text: str
    start: float
    end: float
    confidence: float


class Transcriber(Protocol):
    """Writes down the words in sound recordings."""

    def transcribe(self, content: bytes) -> list[SpokenLine]:
        """What is said in the bytes of a sound file, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools at hand; None for those that are not."""

    recognizer: TextRecognizer | None = None
    transcriber: Transcriber | None = None
