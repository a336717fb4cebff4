"""From bytes to a document: find the format, run its reader, lay out, name the language.

This is the seam where the readers' libraries end. Each raises what it likes on damaged
input; here everything but our own errors becomes `CorruptFileError`, so callers handle
one family of errors. Only a lack of memory passes, for it says nothing about the file.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from alexandria.errors import (
    AlexandriaError,
    CorruptFileError,
    EmptyFileError,
    NoTextLayerError,
    PasswordProtectedError,
    UnreadableError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import Note, ParsedDocument, Unit
from alexandria.knowledge.parsing.drafts import Source, assemble, one_line
from alexandria.knowledge.parsing.file_names import safe_names
from alexandria.knowledge.parsing.formats import (
    FORMATS,
    REFUSED,
    UNKNOWN_MEDIA_TYPE,
    detect_media_type,
    named_format,
)
from alexandria.knowledge.parsing.languages import (
    detect_language,
    normalize_language,
    unit_language,
)
from alexandria.knowledge.parsing.recognition import recognize_images, uncertain_units
from alexandria.knowledge.parsing.recognizers import Tools

_NO_TOOLS = Tools()
_NO_TEXT = {
    "image": "The file is a picture; its text exists only as pixels.",
    "audio": "The file is a sound recording; its words exist only as sound.",
    "video": "The file is a video; its words exist only as sound and pixels.",
}
_OLE = "application/x-ole-storage"
_OLE_LOCKED = "EncryptedPackage".encode("utf-16-le")
_PACKED = {
    "application/x-7z-compressed": "7-Zip",
    "application/vnd.rar": "RAR",
    "application/x-bzip2": "bzip2",
    "application/x-xz": "xz",
    "application/zstd": "Zstandard",
}
_UNPACK = "Unpack it and add the files, or pack them again as ZIP."
_OFFICE = re.compile(r"application/(?:vnd\.(?:openxmlformats|oasis|ms-)|msword|x-ole)")
_MACROS = (b"vbaProject.bin", b"Basic/script-lc.xml", "_VBA_PROJECT".encode("utf-16-le"))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONGEST_REASON = 500


def parse_document(content: bytes, name: str, tools: Tools = _NO_TOOLS) -> ParsedDocument:
    """The document in a file; the same bytes, name and tools always give the same document.

    The name helps to tell the format and stands nowhere in the document.

    Args:
        content: The file's bytes.
        name: Its name; content decides the format, see `detect_media_type`.
        tools: What reads pixels and sound, where there is something that does.

    Raises:
        UnreadableError: One of its kinds, when no text can be read.
    """
    if not content.strip(b" \t\r\n\0"):
        raise EmptyFileError
    label = ""
    try:
        media_type = detect_media_type(content, name)
        _require_reader(content, name, media_type)
        label = f"{FORMATS[media_type].label} "
        return _read(Source(content, name, media_type, tools))
    except UnreadableError as error:
        error.args = (_short(str(error)),)
        raise
    except (AlexandriaError, MemoryError):
        raise
    except Exception as error:
        reason = f"The {label}file is damaged: {type(error).__name__}: {error}"
        raise CorruptFileError(_short(reason)) from error


def _read(source: Source) -> ParsedDocument:
    draft = FORMATS[source.media_type].read(source)
    draft, images = recognize_images(draft, source.tools.recognizer)
    document = assemble(draft, source.media_type)
    language = normalize_language(draft.language) or detect_language(document.text)
    noticed = (*_mismatch(source.name, source.media_type), *_macros(source))
    notes = (*noticed, *document.notes, *uncertain_units(draft))
    names = safe_names(one.name for one in document.attachments if one.name)
    return replace(
        document,
        language=language,
        units=tuple(_finished(unit, document.text, language) for unit in document.units),
        notes=tuple(replace(note, message=_short(note.message)) for note in notes),
        images=images,
        attachments=tuple(
            replace(one, name=next(names)) if one.name else one for one in document.attachments
        ),
    )


def _finished(unit: Unit, text: str, language: str) -> Unit:
    """The unit with its own language, or the document's where it says too little."""
    own = unit_language(text[unit.start : unit.end], language)
    problem = unit.problem and replace(unit.problem, reason=_short(unit.problem.reason))
    return replace(unit, language=own, problem=problem)


def _mismatch(name: str, media_type: str) -> Iterator[Note]:
    """A note when a file is not what its extension says."""
    named = named_format(name)
    if named and named.media_type != media_type:
        found = FORMATS[media_type].label
        message = f"The name says {named.label}, the content is {found}; it was read as {found}."
        yield Note("extension_mismatch", message)


def _macros(source: Source) -> Iterator[Note]:
    """A note when an office file carries programs."""
    if _OFFICE.match(source.media_type) and any(mark in source.content for mark in _MACROS):
        yield Note("macros_ignored", "The file carries macros; they were not read or run.")


def _require_reader(content: bytes, name: str, media_type: str) -> None:
    if media_type not in FORMATS:
        raise _refusal(content, name, media_type)


def _refusal(content: bytes, name: str, media_type: str) -> UnreadableError:
    """Why a file of a type without a reader cannot be read."""
    reason = _NO_TEXT.get(media_type.partition("/")[0])
    if reason:
        return NoTextLayerError(reason)
    if media_type == _OLE and _OLE_LOCKED in content:
        return PasswordProtectedError()
    if media_type in _PACKED:
        reason = f"{_PACKED[media_type]} archives are not unpacked here."
        return UnsupportedFormatError(reason, advice=_UNPACK)
    if media_type in REFUSED:
        reason, advice = REFUSED[media_type]
        return UnsupportedFormatError(reason, advice=advice)
    named = named_format(name)
    if media_type == UNKNOWN_MEDIA_TYPE and named:
        return CorruptFileError(f"The content is not what a {named.label} file holds.")
    return UnsupportedFormatError(f"There is no reader for {media_type}.")


def _short(message: str) -> str:
    """The message as one line that any store takes, the same each time; it may quote the file."""
    return one_line(_ADDRESS.sub("", message))[:_LONGEST_REASON]
