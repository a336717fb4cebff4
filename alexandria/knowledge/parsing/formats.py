"""The formats: a table of what is read and how, and the tests that tell them apart.

The content decides. The extension only tells kinds of text apart (Markdown, CSV, mail),
and says what a damaged container was meant to be.
"""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath

from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.readers.captions import read_captions
from alexandria.knowledge.parsing.readers.delimited import read_delimited
from alexandria.knowledge.parsing.readers.epub import read_epub
from alexandria.knowledge.parsing.readers.hypertext import read_html
from alexandria.knowledge.parsing.readers.mail import read_mail
from alexandria.knowledge.parsing.readers.markdown import read_markdown
from alexandria.knowledge.parsing.readers.office import read_docx, read_odt, read_pptx, read_xlsx
from alexandria.knowledge.parsing.readers.pdf import read_pdf
from alexandria.knowledge.parsing.readers.plain_text import read_plain_text

_OOXML = "application/vnd.openxmlformats-officedocument"
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
    Format("text/csv", ("csv", "tsv"), "CSV", UnitKind.SHEET, read_delimited),
    Format("message/rfc822", ("eml",), "E-mail", UnitKind.MESSAGE, read_mail),
    Format("text/vtt", ("vtt",), "WebVTT", UnitKind.TRANSCRIPT, read_captions),
    Format("application/x-subrip", ("srt",), "SubRip", UnitKind.TRANSCRIPT, read_captions),
)
FORMATS = {one.media_type: one for one in SUPPORTED}
BY_EXTENSION = {extension: one for one in SUPPORTED for extension in one.extensions}

_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), media_type)
    for pattern, media_type in (
        (rb".{0,1023}?%PDF-\d", "application/pdf"),
        (rb"PK(?:\x03\x04|\x05\x06)", "application/zip"),
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
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (rb"\{\\rtf", "application/rtf"),
        (rb"\x1f\x8b", "application/gzip"),
        (rb"7z\xbc\xaf", "application/x-7z-compressed"),
        (rb"Rar!", "application/vnd.rar"),
        (rb"(?:\xef\xbb\xbf)?WEBVTT", "text/vtt"),
        (rb"(?:\xef\xbb\xbf)?\s*\d+\s*\r?\n\d\d:\d\d:\d\d,\d{3} -->", "application/x-subrip"),
    )
)
_LEADING = rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*"
_PAGE = re.compile(_LEADING + rb"(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL)
_DRAWING = re.compile(_LEADING + rb"(?:<!doctype\s+svg|<svg[\s>])", re.IGNORECASE | re.DOTALL)
_MAIL_HEADERS = re.compile(
    rb"(?im)^(?:from|to|subject|date|received|return-path|message-id|mime-version|delivered-to):"
)
_ZIP_MEMBERS = (
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("xl/workbook.xml", "xlsx"),
    ("META-INF/container.xml", "epub"),
)
_CONTAINERS = frozenset({"epub", "docx", "pptx", "xlsx", "odt"})
_HEAD = 4_096


def detect_media_type(content: bytes, name: str) -> str:
    """The media type of a file; `UNKNOWN_MEDIA_TYPE` for bytes that resemble nothing known.

    Args:
        content: Its bytes; the first 4 KiB and, of an archive, the directory are looked at.
        name: Its name; the extension tells kinds of text apart.
    """
    head = content[:_HEAD]
    found = next((kind for pattern, kind in _SIGNATURES if pattern.match(head)), "")
    if found == "application/zip":
        return _detect_container(content, _extension(name))
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
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
            declared = archive.read("mimetype") if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return BY_EXTENSION[extension].media_type if extension in _CONTAINERS else "application/zip"
    kind = declared.decode("ascii", "ignore").strip()
    if kind in FORMATS:
        return kind
    found = next((extension for member, extension in _ZIP_MEMBERS if member in names), "")
    return FORMATS[BY_EXTENSION[found].media_type].media_type if found else "application/zip"


def _is_text(head: bytes) -> bool:
    """Whether the bytes may be text: marked as Unicode, or almost free of control bytes."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    controls = sum(byte < 0x20 and byte not in b"\t\n\r\x0b\x0c\x1b\x1a" for byte in head)
    nul_every_second = max(head[::2].count(0), head[1::2].count(0)) > 0.4 * len(head[1::2])
    return controls <= len(head) // 100 or (len(head) > 3 and nul_every_second)


def _detect_text(head: bytes, extension: str) -> str:
    if _PAGE.match(head):
        return "text/html"
    if _DRAWING.match(head):
        return "image/svg+xml"
    named = BY_EXTENSION.get(extension)
    if named and extension not in _CONTAINERS and named.media_type != "application/pdf":
        return named.media_type
    headers = _MAIL_HEADERS.findall(re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0])
    return "message/rfc822" if len(set(headers)) > 2 else "text/plain"
