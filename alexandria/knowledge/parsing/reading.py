"""From bytes to a document: find the format, run its reader, lay out, name the language.

This is the seam where the readers' libraries end. Each raises what it likes on damaged
input; here everything but `UnreadableError` becomes `CorruptFileError`, so callers handle
one family of errors. Only a lack of memory passes, for it says nothing about the file.
"""

from collections.abc import Iterator
from dataclasses import replace

from alexandria.errors import (
    CorruptFileError,
    EmptyFileError,
    NoTextLayerError,
    PasswordProtectedError,
    UnreadableError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import Note, ParsedDocument, Unit
from alexandria.knowledge.parsing.drafts import Draft, Source, assemble
from alexandria.knowledge.parsing.formats import (
    FORMATS,
    UNKNOWN_MEDIA_TYPE,
    detect_media_type,
    named_format,
)
from alexandria.knowledge.parsing.languages import (
    UNKNOWN,
    detect_language,
    normalize_language,
)
from alexandria.knowledge.parsing.recognition import recognize_images, uncertain_units
from alexandria.knowledge.parsing.tools import Tools

_NO_TOOLS = Tools()
_NO_TEXT = {
    "image": "The file is a picture; its text exists only as pixels.",
    "audio": "The file is a sound recording; its words exist only as sound.",
    "video": "The file is a video; its words exist only as sound and pixels.",
}
_OLE = "application/x-ole-storage"
_OLE_LOCKED = "EncryptedPackage".encode("utf-16-le")


def parse_document(content: bytes, name: str, tools: Tools = _NO_TOOLS) -> ParsedDocument:
    """The document in a file; the same bytes, name and tools always give the same document.

    Args:
        content: The file's bytes.
        name: Its name; content decides the format, see `detect_media_type`.
        tools: What reads pixels and sound, where there is something that does.

    Raises:
        UnreadableError: One of its kinds, when no text can be read.
    """
    if not content.strip(b" \t\r\n\0"):
        raise EmptyFileError
    media_type = detect_media_type(content, name)
    draft = _read(Source(content, name, media_type, tools))
    draft, images = recognize_images(draft, tools.recognizer)
    document = assemble(draft, media_type, name)
    language = normalize_language(draft.language) or detect_language(document.text)
    notes = (*_mismatch(name, media_type), *document.notes, *uncertain_units(draft))
    units = tuple(_named_language(unit, document.text, language) for unit in document.units)
    return replace(document, language=language, units=units, notes=notes, images=images)


def _read(source: Source) -> Draft:
    if source.media_type not in FORMATS:
        raise _refusal(source.content, source.name, source.media_type)
    try:
        return FORMATS[source.media_type].read(source)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:
        label = FORMATS[source.media_type].label
        raise CorruptFileError(f"The {label} file is damaged: {_short(error)}") from error


def _named_language(unit: Unit, text: str, language: str) -> Unit:
    """The unit with its own language, or the document's where it says too little."""
    own = detect_language(text[unit.start : unit.end])
    return replace(unit, language=language if own == UNKNOWN else own)


def _mismatch(name: str, media_type: str) -> Iterator[Note]:
    """A note when a file is not what its extension says."""
    named = named_format(name)
    if named and named.media_type != media_type:
        found = FORMATS[media_type].label
        message = f"The name says {named.label}, the content is {found}; it was read as {found}."
        yield Note("extension_mismatch", message)


def _refusal(content: bytes, name: str, media_type: str) -> UnreadableError:
    """Why a file of a type without a reader cannot be read."""
    reason = _NO_TEXT.get(media_type.partition("/")[0])
    if reason:
        return NoTextLayerError(reason)
    if media_type == _OLE and _OLE_LOCKED in content:
        return PasswordProtectedError()
    named = named_format(name)
    if media_type == UNKNOWN_MEDIA_TYPE and named:
        return CorruptFileError(f"The content is not what a {named.label} file holds.")
    return UnsupportedFormatError(f"There is no reader for {media_type}.")


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
