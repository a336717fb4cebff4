"""Bytes to text: byte order mark, then declaration, then UTF-8, then the likeliest encoding.

Only encodings in use for documents are tried. Bytes that fit none of them, or that decode
to control characters, are refused: wrong letters are worse than a quarantined file.
"""

import codecs
import re

from alexandria.errors import UndecodableTextError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LEGACY = (
    *("cp1252", "cp1250", "cp1251", "koi8_r", "iso8859_7", "cp1253", "cp1254", "cp1255"),
    *("cp1256", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
)
_DECLARED = re.compile(
    rb"""(?:<\?xml[^>]{0,200}?encoding|<meta[^>]{0,200}?charset)\s*=\s*["']?([\w.:-]{2,40})""",
    re.IGNORECASE,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SAMPLE = 65_536
_HEAD = 4_096


def decode_text(content: bytes, declared: str = "") -> str:
    """The text of the bytes, without a byte order mark.

    Args:
        content: The bytes of a text file.
        declared: An encoding named outside the bytes, such as in a mail header.

    Raises:
        UndecodableTextError: No encoding fits, or the bytes are no text.
    """
    text = _decode(content, declared)
    sample = text[:_SAMPLE]
    if len(_CONTROLS.findall(sample)) > 1 + len(sample) // 200:
        raise UndecodableTextError("The bytes are not text: they hold control characters.")
    return text.removeprefix("\ufeff")


def decode_markup(content: bytes) -> str:
    """The text of HTML or XML bytes; their own encoding declaration is tried first.

    Raises:
        UndecodableTextError: No encoding fits, or the bytes are no text.
    """
    declared = _DECLARED.search(content[:_HEAD])
    return decode_text(content, declared[1].decode("ascii") if declared else "")


def _decode(content: bytes, declared: str) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    for encoding in filter(None, (declared, _unmarked_utf16(content), "utf-8")):
        text = _try(content, encoding)
        if text is not None:
            return text
    return _decode_legacy(content)


def _try(content: bytes, encoding: str) -> str | None:
    """The text, or None. UTF-8 may end inside a character: copies are cut anywhere."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        cut = error.start >= len(content) - 3 and encoding.lower().startswith("utf")
        return content[: error.start].decode(encoding, "ignore") if cut and error.start else None
    except (LookupError, UnicodeError):
        return None


def _unmarked_utf16(content: bytes) -> str:
    """UTF-16 without a mark shows in Western text as a NUL at every second byte."""
    head = content[:_HEAD]
    if len(head) < 4 or b"\0" not in head:
        return ""
    odd, even = head[1::2].count(0) / len(head[1::2]), head[::2].count(0) / len(head[::2])
    return "utf-16-le" if odd > 0.4 > even else "utf-16-be" if even > 0.4 > odd else ""


def _decode_legacy(content: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(content[:_SAMPLE], cp_isolation=list(_LEGACY), threshold=0.3).best()
    if best is None:
        raise UndecodableTextError
    text = _try(content, best.encoding)
    if text is None:
        raise UndecodableTextError
    return text
