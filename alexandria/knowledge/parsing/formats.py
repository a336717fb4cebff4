"""The formats: a table of what is read and how, and the tests that tell them apart.

The content decides. The extension only tells kinds of text apart (Markdown, CSV, mail),
and says what a damaged container was meant to be.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from alexandria.errors import ArchiveLimitError, CorruptFileError
from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing.archives import Budget, open_directory, read_entry
from alexandria.knowledge.parsing.decoding import unmarked_utf16
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.readers.archive import read_gzip, read_tar, read_zip
from alexandria.knowledge.parsing.readers.delimited import read_delimited
from alexandria.knowledge.parsing.readers.drawing import read_svg
from alexandria.knowledge.parsing.readers.epub import read_epub
from alexandria.knowledge.parsing.readers.images import read_image
from alexandria.knowledge.parsing.readers.mail.calendar import read_calendar
from alexandria.knowledge.parsing.readers.mail.messages import read_mail, read_mailbox
from alexandria.knowledge.parsing.readers.mail.outlook import read_outlook
from alexandria.knowledge.parsing.readers.markup.hypertext import read_html
from alexandria.knowledge.parsing.readers.markup.markdown import read_markdown
from alexandria.knowledge.parsing.readers.markup.saved_page import read_saved_page
from alexandria.knowledge.parsing.readers.office.docx import read_docx
from alexandria.knowledge.parsing.readers.office.odt import read_odt
from alexandria.knowledge.parsing.readers.office.pptx import read_pptx
from alexandria.knowledge.parsing.readers.office.xlsx import read_xlsx
from alexandria.knowledge.parsing.readers.other_office.compound import (
    UNKNOWN_COMPOUND,
    detect_compound,
)
from alexandria.knowledge.parsing.readers.other_office.opendocument import read_odp, read_ods
from alexandria.knowledge.parsing.readers.other_office.rich_text import read_rich_text
from alexandria.knowledge.parsing.readers.other_office.xls import read_xls
from alexandria.knowledge.parsing.readers.pdf import read_pdf
from alexandria.knowledge.parsing.readers.plain_text import read_plain_text
from alexandria.knowledge.parsing.readers.speech.captions import read_captions
from alexandria.knowledge.parsing.readers.speech.sound import read_sound

_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
UNKNOWN_MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is read.

    Attributes:
        media_type: Its name everywhere.
        extensions: Of its files, in lower case, without the dot; the usual one first.
        label: What people call it.
        unit: What its completeness is counted in.
        read: Its reader.
    """

    media_type: str
    extensions: tuple[str, ...]
    label: str
    unit: UnitKind
    read: Callable[[Source], Draft]


SUPPORTED: tuple[Format, ...] = (
    Format("text/plain", ("txt", "text", "log"), "Plain text", UnitKind.CHAPTER, read_plain_text),
    Format("text/markdown", ("md", "markdown"), "Markdown", UnitKind.CHAPTER, read_markdown),
    Format("text/html", ("html", "htm", "xhtml"), "HTML", UnitKind.CHAPTER, read_html),
    Format(
        "multipart/related",
        ("mhtml", "mht"),
        "Saved web page",
        UnitKind.CHAPTER,
        read_saved_page,
    ),
    Format("application/epub+zip", ("epub",), "EPUB", UnitKind.CHAPTER, read_epub),
    Format("application/pdf", ("pdf",), "PDF", UnitKind.PAGE, read_pdf),
    Format(f"{_OOXML}.wordprocessingml.document", ("docx",), "Word", UnitKind.CHAPTER, read_docx),
    Format(
        f"{_OOXML}.presentationml.presentation", ("pptx",), "PowerPoint", UnitKind.SLIDE, read_pptx
    ),
    Format(f"{_OOXML}.spreadsheetml.sheet", ("xlsx",), "Excel", UnitKind.SHEET, read_xlsx),
    Format(
        "application/vnd.oasis.opendocument.text",
        ("odt",),
        "OpenDocument text",
        UnitKind.CHAPTER,
        read_odt,
    ),
    Format(f"{_ODF}.spreadsheet", ("ods",), "OpenDocument sheets", UnitKind.SHEET, read_ods),
    Format(f"{_ODF}.presentation", ("odp",), "OpenDocument slides", UnitKind.SLIDE, read_odp),
    Format("application/rtf", ("rtf",), "Rich text", UnitKind.CHAPTER, read_rich_text),
    Format("application/vnd.ms-excel", ("xls",), "Excel before 2007", UnitKind.SHEET, read_xls),
    Format("text/csv", ("csv", "tsv"), "CSV", UnitKind.SHEET, read_delimited),
    Format("message/rfc822", ("eml",), "E-mail", UnitKind.MESSAGE, read_mail),
    Format("application/vnd.ms-outlook", ("msg",), "Outlook", UnitKind.MESSAGE, read_outlook),
    Format("application/mbox", ("mbox",), "Mailbox", UnitKind.MESSAGE, read_mailbox),
    Format("text/calendar", ("ics",), "Calendar", UnitKind.CHAPTER, read_calendar),
    Format("text/vtt", ("vtt",), "WebVTT", UnitKind.TRANSCRIPT, read_captions),
    Format("application/x-subrip", ("srt",), "SubRip", UnitKind.TRANSCRIPT, read_captions),
    *(
        Format(media_type, extensions, label, UnitKind.TRANSCRIPT, read_sound)
        for media_type, extensions, label in (
            ("audio/flac", ("flac",), "FLAC sound"),
            ("audio/mpeg", ("mp3",), "MP3 sound"),
            ("audio/wav", ("wav",), "WAV sound"),
            ("audio/mp4", ("m4a",), "M4A sound"),
            ("audio/ogg", ("ogg", "oga", "opus"), "Ogg sound"),
        )
    ),
    *(
        Format(media_type, extensions, label, UnitKind.IMAGE, read_image)
        for media_type, extensions, label in (
            ("image/png", ("png",), "PNG picture"),
            ("image/jpeg", ("jpg", "jpeg"), "JPEG picture"),
            ("image/tiff", ("tif", "tiff"), "TIFF picture"),
            ("image/webp", ("webp",), "WebP picture"),
            ("image/gif", ("gif",), "GIF picture"),
            ("image/bmp", ("bmp",), "BMP picture"),
        )
    ),
    Format("image/svg+xml", ("svg",), "SVG", UnitKind.IMAGE, read_svg),
    Format("application/zip", ("zip",), "ZIP archive", UnitKind.ARCHIVE, read_zip),
    Format("application/x-tar", ("tar",), "tar archive", UnitKind.ARCHIVE, read_tar),
    Format("application/gzip", ("gz", "tgz"), "gzip", UnitKind.ARCHIVE, read_gzip),
)
FORMATS = {one.media_type: one for one in SUPPORTED}
BY_EXTENSION = {extension: one for one in SUPPORTED for extension in one.extensions}
_SAME_AS = {
    **dict.fromkeys(("docm", "dotx", "dotm"), "docx"),
    **dict.fromkeys(("pptm", "ppsx", "potx"), "pptx"),
    **dict.fromkeys(("xlsm", "xltx", "xltm"), "xlsx"),
}
"""Files with macros, templates and slide shows are read as the plain kind."""
BY_EXTENSION.update({name: BY_EXTENSION[plain] for name, plain in _SAME_AS.items()})

REFUSED: dict[str, tuple[str, str]] = {
    "application/msword": (
        "The file is of Word before 2007 (DOC).",
        "Open it in Word or LibreOffice, save it as DOCX and re-add it.",
    ),
    "application/vnd.ms-powerpoint": (
        "The file is of PowerPoint before 2007 (PPT).",
        "Open it in PowerPoint or LibreOffice, save it as PPTX and re-add it.",
    ),
    "application/vnd.visio": (
        "The file is a Visio drawing.",
        "Open it in Visio, save it as PDF or SVG and re-add it.",
    ),
    "application/ms-tnef": (
        "The file is Outlook's package of a message (winmail.dat).",
        "Ask the sender to send it as HTML or text, or open it in Outlook and save its files.",
    ),
}
"""Kinds of files that are known and not read: what is said of them, and the advice."""

_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), media_type)
    for pattern, media_type in (
        (rb"PK(?:\x03\x04|\x05\x06)", "application/zip"),
        (rb".{257}ustar", "application/x-tar"),
        (rb"%PDF-\d|.{0,1023}?%PDF-\d\.\d *[\r\n]", "application/pdf"),
        (rb"BZh[1-9]1AY&SY", "application/x-bzip2"),
        (rb"\xfd7zXZ\x00", "application/x-xz"),
        (rb"\x28\xb5\x2f\xfd", "application/zstd"),
        (rb"\x89PNG\r\n", "image/png"),
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"II\*\x00|MM\x00\*", "image/tiff"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"BM.{4}\x00{4}", "image/bmp"),
        (rb"RIFF.{4}WEBP", "image/webp"),
        (rb"RIFF.{4}WAVE", "audio/wav"),
        (rb".{4}ftyp(?:heic|heix|mif1|avif)", "image/heic"),
        (rb".{4}ftypM4A", "audio/mp4"),
        (rb".{4}ftyp", "video/mp4"),
        (rb"\x1aE\xdf\xa3", "video/webm"),
        (rb"ID3|\xff[\xfb\xf3\xf2]", "audio/mpeg"),
        (rb"fLaC", "audio/flac"),
        (rb"OggS", "audio/ogg"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", UNKNOWN_COMPOUND),
        (rb"\{\\rtf", "application/rtf"),
        (rb"x\x9f>\x22", "application/ms-tnef"),
        (rb"From [^\r\n]*\d:\d\d[^\r\n]*\r?\n(?:[!-9;-~]+:|>From )", "application/mbox"),
        (rb"From: <Saved by ", "multipart/related"),
        (rb"(?:\xef\xbb\xbf)?BEGIN:VCALENDAR", "text/calendar"),
        (rb"\x1f\x8b", "application/gzip"),
        (rb"7z\xbc\xaf", "application/x-7z-compressed"),
        (rb"Rar!", "application/vnd.rar"),
        (rb"(?:\xef\xbb\xbf)?WEBVTT", "text/vtt"),
        (rb"(?:\xef\xbb\xbf)?\s*\d+\s*\r?\n\d\d:\d\d:\d\d,\d{3} -->", "application/x-subrip"),
    )
)
_LEADING = rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*+>\s*+)?(?:<!--(?:(?!-->).)*+-->\s*+)*+"
"""Possessive throughout: what was taken is not given back to try again."""
_PAGE = re.compile(_LEADING + rb"(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL)
_DRAWING = re.compile(_LEADING + rb"(?:<!doctype\s+svg|<svg[\s>])", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<")
_MAIL_HEADERS = re.compile(
    rb"(?im)^(?:from|to|subject|date|received|return-path|message-id|mime-version|delivered-to):"
)
_ZIP_MEMBERS = (
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("xl/workbook.xml", "xlsx"),
    ("META-INF/container.xml", "epub"),
)
_CONTAINERS = frozenset({"epub", "docx", "pptx", "xlsx", "odt", "ods", "odp", *_SAME_AS})
_NAMED_TEXTS = re.compile(r"text/|message/|multipart/|application/(?:x-subrip|mbox)")
_ZIP = "application/zip"
_TYPE = "mimetype"
_LONGEST_TYPE = 200
_HEAD = 4_096


def detect_media_type(content: bytes, name: str) -> str:
    """The media type of a file; `UNKNOWN_MEDIA_TYPE` for bytes that resemble nothing known.

    Args:
        content: Its bytes; the first 4 KiB and, of an archive, the directory are looked at.
        name: Its name; the extension tells kinds of text apart.
    """
    head = content[:_HEAD]
    found = next((kind for pattern, kind in _SIGNATURES if pattern.match(head)), "")
    if found == _ZIP:
        return _detect_container(content, _extension(name))
    if found == UNKNOWN_COMPOUND:
        return detect_compound(content)
    if found:
        return found
    return _detect_text(head, _extension(name)) if _is_text(head) else UNKNOWN_MEDIA_TYPE


def named_format(name: str) -> Format | None:
    """The format a file's extension stands for."""
    return BY_EXTENSION.get(_extension(name))


def _extension(name: str) -> str:
    return PurePath(name).suffix.lower().removeprefix(".")


def _detect_container(content: bytes, extension: str) -> str:
    """The document type of a zip archive; a damaged one is what its name says."""
    try:
        with open_directory(content, Budget(len(content))) as archive:
            names = set(archive.namelist())
            declared = read_entry(archive, _TYPE, _LONGEST_TYPE) if _TYPE in names else b""
    except (CorruptFileError, ArchiveLimitError):
        return BY_EXTENSION[extension].media_type if extension in _CONTAINERS else _ZIP
    kind = declared.decode("ascii", "ignore").strip()
    if kind in FORMATS:
        return kind
    found = next((extension for member, extension in _ZIP_MEMBERS if member in names), "")
    return FORMATS[BY_EXTENSION[found].media_type].media_type if found else _ZIP


def _is_text(head: bytes) -> bool:
    """Whether the bytes may be text: marked as Unicode, or almost free of control bytes."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    controls = sum(byte < 0x20 and byte not in b"\t\n\r\x0b\x0c\x1b\x1a" for byte in head)
    return controls <= len(head) // 100 or bool(unmarked_utf16(head))


def _detect_text(head: bytes, extension: str) -> str:
    if _PAGE.match(head):
        return "text/html"
    if _DRAWING.match(head) or (extension == "svg" and _MARKUP.match(head)):
        return "image/svg+xml"
    named = BY_EXTENSION.get(extension)
    if named and _NAMED_TEXTS.match(named.media_type):
        return named.media_type
    headers = _MAIL_HEADERS.findall(re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0])
    return "message/rfc822" if len(set(headers)) > 2 else "text/plain"
