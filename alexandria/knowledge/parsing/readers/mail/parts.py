"""The parts of a message: which are its text, which its files, which locked.

Text parts follow each other as they were sent: some programs put text between and after
pictures. Of alternatives the HTML one counts, where it says something. Signatures are no
files of the message.
"""

import base64
import binascii
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message

from alexandria.errors import UnreadableError
from alexandria.knowledge.parsing.drafts import Piece
from alexandria.knowledge.parsing.readers.mail.calendar import event_pieces
from alexandria.knowledge.parsing.readers.mail.headers import (
    decode_bytes,
    file_name,
    header_text,
    parse_message,
)
from alexandria.knowledge.parsing.readers.mail.letters import AttachedFile, titled
from alexandria.knowledge.parsing.readers.markup.elements import parse_markup
from alexandria.knowledge.parsing.readers.markup.structure import markup_pieces
from alexandria.knowledge.parsing.readers.plain_text import paragraph_pieces, split_paragraphs

_SIGNATURES = re.compile(r"application/(?:pgp-signature|(?:x-)?pkcs7-signature)")
_SMIME = re.compile(r"application/(?:x-)?pkcs7-mime")
_ARMOUR = re.compile(r"-----BEGIN PGP MESSAGE-----.*?(?:-----END PGP MESSAGE-----|\Z)", re.DOTALL)
_BODY_TEXTS = frozenset({"text/plain", "text/html", "text/enriched", "text/rfc822-headers"})
_FLOWED_QUOTE = re.compile(r">*")


@dataclass(slots=True)
class Parts:
    """What was found in a message, in order; and how much of it is locked."""

    body: list[Piece] = field(default_factory=list[Piece])
    events: list[Piece] = field(default_factory=list[Piece])
    files: list[AttachedFile] = field(default_factory=list[AttachedFile])
    failures: list[UnreadableError] = field(default_factory=list[UnreadableError])
    encrypted: int = 0
    wrapped: int = 0
    has_html: bool = False


def read_parts(message: Message) -> Parts:
    """Everything in a message."""
    parts = Parts()
    _read(message, parts)
    return parts


def _read(part: Message, parts: Parts) -> None:
    kind = part.get_content_type()
    if kind == "multipart/encrypted":
        parts.encrypted += 1
    elif kind == "message/rfc822":
        parts.files.append(_forwarded(part, len(parts.files) + 1))
    elif kind == "multipart/alternative" and part.is_multipart():
        _read_alternatives(_inner(part), parts)
    elif part.is_multipart() and kind.startswith("multipart/"):
        for one in _inner(part):
            _read(one, parts)
    elif _is_body(part, kind):
        _read_text(part, kind, parts)
    else:
        _read_file(part, kind, parts)


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _read_alternatives(choices: Sequence[Message], parts: Parts) -> None:
    """The last HTML text, or else the last text; files and events of all of them."""
    read = [read_parts(one) for one in choices]
    said = [one for one in read if one.body]
    best = next((one for one in reversed(said) if one.has_html), said[-1] if said else None)
    if best is not None:
        parts.body += best.body
        parts.has_html = parts.has_html or best.has_html
    for one in read:
        parts.events += one.events
        parts.files += one.files
        parts.encrypted += one.encrypted
        parts.wrapped += one.wrapped
        parts.failures += [] if best else one.failures


def _is_body(part: Message, kind: str) -> bool:
    """Whether a part is text to read with the message: no attachment, and without a name."""
    if part.get_content_disposition() == "attachment" or file_name(part):
        return False
    broken = part.get_content_maintype() == "multipart"
    return broken or kind in _BODY_TEXTS or kind == "message/delivery-status"


def _read_text(part: Message, kind: str, parts: Parts) -> None:
    text, locked = _ARMOUR.subn("", _text(part))
    parts.encrypted += locked
    try:
        if kind == "text/html" and text.strip():
            pieces = markup_pieces(parse_markup(text))
            parts.has_html = parts.has_html or bool(pieces)
        else:
            pieces = [one for lines in split_paragraphs(text) for one in paragraph_pieces(lines)]
    except UnreadableError as error:
        parts.failures.append(error)
    else:
        parts.body += pieces


def _text(part: Message) -> str:
    """A part's text; of a report of delivery, its fields."""
    if part.is_multipart():
        return "\n\n".join(str(one) for one in _inner(part))
    text = decode_bytes(payload_of(part), part.get_content_charset() or "")
    if str(part.get_param("format") or "").lower() != "flowed":
        return text
    return _unflowed(text, without_space=str(part.get_param("delsp") or "").lower() == "yes")


def _unflowed(text: str, *, without_space: bool) -> str:
    """Lines that end in a space joined with the next of the same depth of quoting."""
    lines: list[str] = []
    for line in text.splitlines():
        quote = _depth(line)
        flows = bool(lines) and lines[-1].endswith(" ") and lines[-1] != "-- "
        if flows and quote == _depth(lines[-1]):
            before = lines[-1][:-1] if without_space else lines[-1]
            lines[-1] = before + line[len(quote) :].removeprefix(" ")
        else:
            lines.append(line)
    return "\n".join(lines)


def _depth(line: str) -> str:
    found = _FLOWED_QUOTE.match(line)
    return found[0] if found else ""


def payload_of(part: Message) -> bytes:
    """A part's bytes, unpacked from how they were sent."""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _read_file(part: Message, kind: str, parts: Parts) -> None:
    if _SIGNATURES.fullmatch(kind):
        return
    if _SMIME.fullmatch(kind):
        signed = str(part.get_param("smime-type") or "").lower() == "signed-data"
        parts.wrapped += signed
        parts.encrypted += not signed
        return
    attached = part.get_content_disposition() == "attachment"
    if kind == "text/calendar" and not attached:
        try:
            parts.events += event_pieces(payload_of(part))
        except UnreadableError as error:
            parts.failures.append(error)
        return
    shown = part.get_content_disposition() == "inline" or part["content-id"] is not None
    name = file_name(part) or _made_up_name(part, kind, len(parts.files) + 1)
    inline = shown and not attached and kind.startswith("image/")
    parts.files.append(AttachedFile(name, payload_of(part), inline))


def _made_up_name(part: Message, kind: str, number: int) -> str:
    extension = mimetypes.guess_extension(kind) or f".{part.get_content_subtype()}"
    return f"part-{number}{extension}"


def _forwarded(part: Message, number: int) -> AttachedFile:
    """A message inside the message, as the file it would be on its own."""
    inner = _inner(part)
    content = inner[0].as_bytes() if inner else payload_of(part)
    if inner and not inner[0].keys() and part["content-transfer-encoding"]:
        content = _unpacked(inner[0], content)
    subject = header_text(parse_message(content), "Subject")
    return AttachedFile(file_name(part) or titled(subject, number), content)


def _unpacked(inner: Message, content: bytes) -> bytes:
    """Some programs send a whole message in base64, which none may."""
    try:
        return base64.b64decode(str(inner.get_payload()), validate=False)
    except (binascii.Error, ValueError):
        return content
