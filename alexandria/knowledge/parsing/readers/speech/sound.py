"""Sound recordings: what the transcriber at hand writes down, with the times."""

from alexandria.errors import EmptyFileError, NoTextLayerError
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.readers.speech.cues import Cue, cue_pieces, transcript_section
from alexandria.knowledge.parsing.recognizers import SpokenLine

_NO_TRANSCRIBER = "The file is a sound recording; its words exist only as sound."
_HOW_TO_TRANSCRIBE = (
    "Name a speech model in ALEXANDRIA_TRANSCRIPTION_MODEL, or add a transcript of it (VTT, SRT "
    "or text)."
)


def read_sound(source: Source) -> Draft:
    """A recording as a transcript in one unit.

    Raises:
        NoTextLayerError: No transcriber is at hand.
        EmptyFileError: Nobody says a word in it.
    """
    if source.tools.transcriber is None:
        raise NoTextLayerError(_NO_TRANSCRIBER, advice=_HOW_TO_TRANSCRIBE)
    cues = [_cue(line) for line in source.tools.transcriber.transcribe(source.content)]
    if not any(cue.text for cue in cues):
        raise EmptyFileError(
            "Nothing is said in the recording.",
            advice="Nothing to do, unless speech is expected in it.",
        )
    return Draft((transcript_section(cue_pieces([cue for cue in cues if cue.text])),))


def _cue(line: SpokenLine) -> Cue:
    start, end = round(line.start * 1000), round(line.end * 1000)
    return Cue(start, end, "", line.text.strip(), line.confidence)
