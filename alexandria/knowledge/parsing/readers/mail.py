"""E-mail: the message is one unit; every attachment is handed on as a file of its own.

Python's own mail reader with the readers of this package for the parts. unstructured's
mail reader drops the headers and runs attachments into the body.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses

from alexandria.errors import CorruptFileError
from alexandria.knowledge.documents import Attachment, UnitKind
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import (
    Draft,
    Piece,
    Section,
    Source,
    heading,
    one_line,
    paragraph,
)
from alexandria.knowledge.parsing.languages import UNKNOWN, detect_language
from alexandria.knowledge.parsing.readers.hypertext import markup_pieces, parse_markup
from alexandria.knowledge.parsing.readers.plain_text import paragraph_pieces, split_paragraphs

_QUOTED = re.compile(r"^\s*>|:\s*$")
_SHOWN = ("From", "To", "Cc", "Date")


def read_mail(source: Source) -> Draft:
    """A message and its attachments.

    Raises:
        CorruptFileError: It has neither headers nor a body.
    """
    message = message_from_bytes(source.content, policy=policy.default)
    if not message.keys():
        raise CorruptFileError("The file has no mail headers.")
    subject = one_line(str(message.get("Subject", "")))
    body = Section(
        UnitKind.MESSAGE,
        subject or "Message",
        "message=1",
        (*_header_pieces(message, subject), *_body_pieces(message)),
    )
    parts = enumerate(_attachments(message), start=1)
    return Draft(
        (body,),
        title=subject,
        author=_sender(message),
        language=_own_language(body.pieces),
        attachments=tuple(Attachment(*_file_of(part, number)) for number, part in parts),
    )


def _own_language(pieces: tuple[Piece, ...]) -> str:
    """The language of what the sender wrote: headers and quoted lines would blur it."""
    lines = "\n".join(piece.text for piece in pieces[2:]).split("\n")
    language = detect_language("\n".join(line for line in lines if not _QUOTED.search(line)))
    return "" if language == UNKNOWN else language


def _header_pieces(message: EmailMessage, subject: str) -> Iterator[Piece]:
    lines = [f"{name}: {one_line(str(message[name]))}" for name in _SHOWN if message[name]]
    if subject:
        yield heading(subject)
    if lines:
        yield paragraph("\n".join(lines))


def _sender(message: EmailMessage) -> str:
    addresses = getaddresses([str(message.get("From", ""))])
    return next((name or address for name, address in addresses), "")


def _body_pieces(message: EmailMessage) -> Iterator[Piece]:
    """The HTML body when there is one that says something, else the plain body."""
    for kind in ("html", "plain"):
        body = message.get_body((kind,))
        pieces = _text_pieces(body) if isinstance(body, EmailMessage) else []
        if pieces:
            yield from pieces
            return


def _text_pieces(part: EmailMessage) -> list[Piece]:
    text = decode_text(_payload(part), part.get_content_charset() or "")
    if not text.strip():
        return []
    if part.get_content_subtype() == "html":
        return markup_pieces(parse_markup(text))
    return [piece for lines in split_paragraphs(text) for piece in paragraph_pieces(lines)]


def _payload(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachments(message: EmailMessage) -> Iterator[EmailMessage]:
    """Parts that are no body: attached files, forwarded messages, inline pictures."""
    bodies = {id(message.get_body((kind,))) for kind in ("html", "plain")}
    pending = [message]
    while pending:
        part = pending.pop()
        if part.get_content_maintype() == "multipart":
            pending += reversed([one for one in part.iter_parts() if isinstance(one, EmailMessage)])
        elif id(part) not in bodies:
            yield part


def _file_of(part: EmailMessage, number: int) -> tuple[str, bytes]:
    """Name and bytes of an attachment; a forwarded message is its own bytes."""
    if part.get_content_type() == "message/rfc822":
        inner = part.get_content()
        return part.get_filename() or f"message-{number}.eml", inner.as_bytes()
    extension = part.get_content_subtype().replace("plain", "txt")
    return part.get_filename() or f"part-{number}.{extension}", _payload(part)
