r"""RTF through pandoc's HTML: headings, lists, tables and footnotes are kept.

pandoc reads only Western one-byte text, and striprtf, which knows the others, drops
footnotes and headings. So every letter that is escaped (\'e9, \u1041?) is first written as
itself, by the character set of the font that holds there; pandoc takes such text as it is.
"""

import codecs
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from alexandria.knowledge.documents import Note
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.readers.markup.converted import read_converted
from alexandria.knowledge.parsing.readers.markup.pandoc import convert_to_html

_TOKEN = re.compile(
    r"\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]+)(?P<number>-?\d+)? ?"
    r"|\\(?P<sign>[^a-zA-Z])|(?P<brace>[{}])|(?P<text>[^\\{}]+)",
    re.DOTALL,
)
_CUT = Note("file_cut", "The file ends too early; it was read as far as it goes.")
_OPTIONS = ("--standalone", "--embed-resources", "--quiet")
_SIGNS = re.compile(r"[\\{}]")
_DEFAULTS = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    134: "gbk",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}


def read_rich_text(source: Source) -> Draft:
    """An RTF document; chapters by its headings.

    Raises:
        CorruptFileError: pandoc does not understand it.
    """
    plain, is_whole = unicode_letters(source.content.decode("latin-1"))
    draft = read_converted(convert_to_html(plain.encode("utf-8", "replace"), "rtf", _OPTIONS))
    return draft if is_whole else replace(draft, notes=(*draft.notes, _CUT))


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds inside a pair of braces: encoding, letters that stand in for a Unicode one."""

    encoding: str
    stand_ins: int = 1
    is_font_table: bool = False


@dataclass(slots=True)
class _Reader:
    """The state while walking through the tokens of a document."""

    default: str = "cp1252"
    default_font: int = -1
    fonts: dict[int, str] = field(default_factory=dict[int, str])
    font: int = -1
    groups: list[_Group] = field(default_factory=lambda: [_Group("cp1252")])
    skip: int = 0
    half: int = 0
    bytes_in: bytearray = field(default_factory=bytearray)

    @property
    def group(self) -> _Group:
        return self.groups[-1]

    def set(self, **changes: object) -> None:
        self.groups[-1] = replace(self.groups[-1], **changes)  # pyright: ignore[reportArgumentType]


def unicode_letters(rtf: str) -> tuple[str, bool]:
    """The document with its letters as they are, pictures in hex, braces in pairs.

    Args:
        rtf: Its bytes, each as the letter of that number.

    Returns:
        The document, and whether it is whole: a cut one leaves groups open.
    """
    reader = _Reader()
    text = "".join(_rewritten(rtf, reader))
    depth = len(reader.groups) - 1
    return text + "}" * depth, depth == 0


def _rewritten(rtf: str, reader: _Reader) -> Iterator[str]:
    position = 0
    while position < len(rtf):
        token = _TOKEN.match(rtf, position)
        if token is None:  # a backslash at the very end
            break
        position = token.end()
        if token["hex"]:
            yield from _letters(reader, bytes.fromhex(token["hex"]))
        elif token["text"]:
            yield from _plain(reader, token["text"])
        else:
            yield _flush(reader)
            if token["word"] == "bin" and token["number"]:
                end = position + max(int(token["number"]), 0)  # a picture's raw bytes
                yield rtf[position:end].encode("latin-1").hex()
                position = end
            else:
                yield _control(reader, token)
    yield _flush(reader)


def _letters(reader: _Reader, content: bytes) -> Iterator[str]:
    """A letter given as a byte, unless it only stands in for the Unicode one before it."""
    if reader.skip:
        reader.skip -= 1
    elif reader.group.is_font_table:
        yield "_"
    else:
        reader.bytes_in += content


def _plain(reader: _Reader, text: str) -> Iterator[str]:
    """Text as it is; line ends are none in this format, and may stand inside a letter."""
    if text.isascii() and not reader.skip and not reader.bytes_in:
        yield text
        return
    for letter in text:
        if letter in "\r\n":
            continue
        if reader.skip:
            reader.skip -= 1
        elif ord(letter) > 127 or _is_half(reader):
            yield from _letters(reader, letter.encode("latin-1"))
        else:
            yield _flush(reader)
            yield letter


def _is_half(reader: _Reader) -> bool:
    """Whether the bytes so far end inside a letter of two bytes."""
    if not reader.bytes_in:
        return False
    decoder = codecs.getincrementaldecoder(reader.group.encoding)("replace")
    decoder.decode(bytes(reader.bytes_in))
    return bool(decoder.getstate()[0])


def _flush(reader: _Reader) -> str:
    """The letters of the bytes so far."""
    if not reader.bytes_in:
        return ""
    text = bytes(reader.bytes_in).decode(reader.group.encoding, "replace")
    reader.bytes_in.clear()
    return _SIGNS.sub(r"\\\g<0>", text)


def _control(reader: _Reader, token: re.Match[str]) -> str:
    """Note what a brace or a control word changes; the token as it is to be written."""
    reader.skip = 0
    if token["brace"]:
        return _brace(reader, token["brace"])
    if token["sign"] == "'":  # a byte without its number
        return ""
    if not token["word"]:
        return token[0]
    word, number = token["word"], int(token["number"] or 0)
    written = f"\\{word}{token['number'] or ''} "
    if word in _DEFAULTS or word == "ansicpg":
        reader.default = _known(f"cp{number}") if word == "ansicpg" else _DEFAULTS[word]
        reader.set(encoding=reader.default)
        return "\\ansicpg1252 " if word == "ansicpg" else "\\ansi "
    if word == "u":
        reader.skip = reader.group.stand_ins
        return _unicode(reader, number % 65_536)
    if word == "uc":
        reader.set(stand_ins=max(number, 0))
        return ""
    if word == "fonttbl":
        reader.set(is_font_table=True)
    elif word in {"f", "deff", "plain", "fcharset"}:
        _font(reader, word, number)
        return "" if word == "fcharset" else written
    return written


def _unicode(reader: _Reader, unit: int) -> str:
    """The letter of a UTF-16 unit; the first half of a pair waits for the second."""
    if 0xD800 <= unit < 0xDC00:
        reader.half = unit
        return ""
    if 0xDC00 <= unit < 0xE000:
        pair = struct.pack("<HH", reader.half, unit)
        return pair.decode("utf-16-le", "replace")
    return _SIGNS.sub(r"\\\g<0>", chr(unit))


def _brace(reader: _Reader, brace: str) -> str:
    """The brace, unless it closes what was never opened, which pandoc does not take."""
    if brace == "{":
        reader.groups.append(reader.group)
    elif len(reader.groups) > 1:
        reader.groups.pop()
    else:
        return ""
    return brace


def _font(reader: _Reader, word: str, number: int) -> None:
    if word == "fcharset":
        reader.fonts[reader.font] = _CHARSETS.get(number, "")
    elif word == "deff":
        reader.default_font = number
    elif reader.group.is_font_table:
        reader.font = number
    else:
        font = reader.default_font if word == "plain" else number
        reader.set(encoding=reader.fonts.get(font) or reader.default)


def _known(encoding: str) -> str:
    """The encoding, or the Western one for a code page that Python does not know."""
    try:
        return codecs.lookup({"cp936": "gbk", "cp65001": "utf-8"}.get(encoding, encoding)).name
    except LookupError:
        return "cp1252"
