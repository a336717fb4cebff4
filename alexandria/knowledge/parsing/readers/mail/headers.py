r"""Header fields of messages as people read them, whatever wrote them.

Python's own header objects raise on some malformed fields and lose letters that were sent
as bare bytes, so fields are taken raw: encoded words ("=?utf-8?q?...?=") are decoded one by
one, and bytes without a name for their encoding are looked at like any text's.
"""

import re
from collections.abc import Sequence
from email import message_from_bytes
from email.errors import CloseBoundaryNotFoundDefect, HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses

from alexandria.errors import UndecodableTextError
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import one_line

_Parameter = str | tuple[str | None, str | None, str]
_SPLIT_LETTER = re.compile(r"\?=\s+=\?")
_SINGLE_BYTE = re.compile(r"us-ascii|ascii|iso-8859-\d+|latin-?1|windows-125\d|cp125\d", re.ASCII)

_LONGEST_FIELD = 20_000
"""Characters: Python's parsers take quadratic time for parameters and encoded words."""
_PIECE = re.compile(rf".{{1,{_LONGEST_FIELD}}}(?=\s|\Z)|.{{1,{_LONGEST_FIELD}}}", re.DOTALL)
_WITH_PARAMETERS = frozenset({"content-type", "content-disposition"})


class _BoundedFields(Compat32):
    """Fields as they were sent; those with parameters not longer than anybody writes them."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        return name, value[:_LONGEST_FIELD] if name.lower() in _WITH_PARAMETERS else value


_POLICY = _BoundedFields()


def parse_message(content: bytes) -> Message:
    """The message in these bytes, its fields as they were sent."""
    return message_from_bytes(content, policy=_POLICY)


def is_cut(message: Message) -> bool:
    """Whether the message of several parts ends before the mark of its end."""
    return any(isinstance(one, CloseBoundaryNotFoundDefect) for one in message.defects)


def header_text(message: Message, name: str) -> str:
    """The first field of that name on one line; empty when there is none."""
    wanted = name.lower()
    raw = next((value for key, value in message.raw_items() if key.lower() == wanted), "")
    return one_line(decode_words(str(raw)))


def decode_words(raw: str) -> str:
    """The text of a field: bare bytes and encoded words decoded, anything else as it is."""
    text = decode_bytes(raw.encode("utf-8", "surrogateescape"))
    pieces = _PIECE.findall(_SPLIT_LETTER.sub("?= =?", text))
    return "".join(map(_decode_piece, pieces))


def _decode_piece(text: str) -> str:
    try:
        parts = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(_decoded(part, charset) for part, charset in parts)


def decode_bytes(content: bytes, charset: str = "") -> str:
    """Text in the encoding named, or in the one it looks like; what fits nothing is marked.

    Mail programs name a one-byte encoding by habit; bytes that are valid UTF-8 are UTF-8.
    """
    if not charset or _SINGLE_BYTE.fullmatch(charset.lower()):
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    try:
        return decode_text(content, charset)
    except UndecodableTextError:
        return content.decode("ascii", "replace")


def sender_of(field: str) -> str:
    """The name in a From field, or else the address."""
    return next((name or address for name, address in getaddresses([field])), "")


def file_name(part: Message) -> str:
    """The name a part gives its file; empty for none.

    Of two forms of the same parameter, the extended one counts: it has all letters.
    """
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        values = [value for key, value in _parameters(part, header) if key.lower() == parameter]
        if values:
            return one_line(_file_name(values[-1]))
    return ""


def _parameters(part: Message, header: str) -> list[tuple[str, _Parameter]]:
    """Parameters of a field, read from its text, for Python's parser marks bare bytes as lost."""
    raw = next((value for key, value in part.raw_items() if key.lower() == header), "")
    probe = Message()
    probe[header] = decode_bytes(str(raw).encode("utf-8", "surrogateescape"))
    return [(key, value) for key, value in probe.get_params(header=header) or [] if key]


def _file_name(value: _Parameter) -> str:
    if isinstance(value, str):
        return decode_words(value)
    charset, _, text = value
    return decode_bytes(text.encode("latin-1", "replace"), charset or "")


def _decoded(part: bytes | str, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    return decode_bytes(part, charset) if charset else part.decode("raw-unicode-escape", "replace")
