"""From bytes to a document: find the format, run its reader, lay out, name the language.

This is the seam where the readers' libraries end. Each raises what it likes on damaged
input; here everything but `UnreadableError` becomes `CorruptFileError`, so callers handle
one family of errors. Only a lack of memory passes, for it says nothing about the file.
"""

from dataclasses import replace

from alexandria.errors import (
    CorruptFileError,
    EmptyFileError,
    NoTextLayerError,
    PasswordProtectedError,
    UnreadableError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import ParsedDocument
from alexandria.knowledge.parsing.drafts import Draft, Source, assemble
from alexandria.knowledge.parsing.formats import (
    FORMATS,
    UNKNOWN_MEDIA_TYPE,
    detect_media_type,
    named_format,
)
from alexandria.knowledge.parsing.languages import (
    detect_language,
    normalize_language,
)

_DEEPEST = 3
_NO_TEXT = {
    "image": "The file is a picture; its text exists only as pixels.",
    "audio": "The file is a sound recording; its words exist only as sound.",
    "video": "The file is a video; its words exist only as sound and pixels.",
}
_OLE = "application/x-ole-storage"
_OLE_LOCKED = "EncryptedPackage".encode("utf-16-le")


def parse_document(content: bytes, name: str) -> ParsedDocument:
    """The document in a file; the same bytes and name always give the same document.

    Args:
        content: The file's bytes.
        name: Its name; content decides the format, see `detect_media_type`.

    Raises:
        UnreadableError: One of its kinds, when no text can be read.
    """
    media_type = detect_media_type(content, name)
    draft = _read(content, name, media_type, depth=0)
    document = assemble(draft, media_type, name)
    declared = normalize_language(draft.language)
    return replace(document, language=declared or detect_language(document.text))


def _read(content: bytes, name: str, media_type: str, depth: int) -> Draft:
    """The draft of a file, `depth` files deep inside another."""
    if not content.strip(b" \t\r\n\0"):
        raise EmptyFileError
    if depth > _DEEPEST:
        raise UnsupportedFormatError("The file is nested more than three files deep.")
    if media_type not in FORMATS:
        raise _refusal(content, name, media_type)

    def read_part(part: bytes, part_name: str) -> Draft:
        return _read(part, part_name, detect_media_type(part, part_name), depth + 1)

    source = Source(content, name, media_type, read_part)
    try:
        return FORMATS[media_type].read(source)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:
        label = FORMATS[media_type].label
        raise CorruptFileError(f"The {label} file is damaged: {_short(error)}") from error


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
