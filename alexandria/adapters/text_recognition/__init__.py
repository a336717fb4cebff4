"""Text recognition (OCR): engines that read the text in pictures, without a network.

`load_recognizer` is the only way in. `rapidocr` comes as a package with its models inside;
`tesseract` is a program of the system that is used where it is asked for and installed.
"""

from collections.abc import Sequence

from alexandria.errors import ConfigurationError
from alexandria.knowledge.parsing.recognizers import TextRecognizer

RAPIDOCR, TESSERACT, OFF = "rapidocr", "tesseract", "off"


def load_recognizer(
    engine: str, languages: Sequence[str] = (), threads: int = 1
) -> TextRecognizer | None:
    """The engine of that name; None when it is off or not installed here.

    Networks are loaded on first use.

    Args:
        engine: "rapidocr", "tesseract" or "off".
        languages: ISO 639-1 codes of the languages to expect; all that the engine has when
            empty.
        threads: How many one picture may use.

    Raises:
        ConfigurationError: The engine cannot read one of the languages.
    """
    if engine == RAPIDOCR:
        from alexandria.adapters.text_recognition.rapid import load_rapid

        return load_rapid(tuple(languages), threads)
    if engine == TESSERACT:
        from alexandria.adapters.text_recognition.tesseract import load_tesseract

        return load_tesseract(tuple(languages), threads)
    if engine == OFF:
        return None
    raise ConfigurationError(f"There is no text recognition called {engine!r}.")
