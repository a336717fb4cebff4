"""MSG, the messages that Outlook saves, through python-oxmsg.

A message inside a message is handed on in the form that mail servers use (EML), so it is read
like any other.
"""

import mimetypes
from collections.abc import Iterator
from datetime import datetime
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import TYPE_CHECKING, Any, cast

from alexandria.errors import PasswordProtectedError, UnreadableError
from alexandria.knowledge.documents import Note
from alexandria.knowledge.parsing.decoding import decode_markup, decode_text
from alexandria.knowledge.parsing.drafts import Draft, Piece, Source, one_line
from alexandria.knowledge.parsing.readers.mail.headers import sender_of
from alexandria.knowledge.parsing.readers.mail.letters import (
    AttachedFile,
    Letter,
    draft_letters,
    titled,
)
from alexandria.knowledge.parsing.readers.mail.messages import read_letter
from alexandria.knowledge.parsing.readers.markup.elements import parse_markup
from alexandria.knowledge.parsing.readers.markup.structure import markup_pieces
from alexandria.knowledge.parsing.readers.other_office.rich_text import read_rich_text
from alexandria.knowledge.parsing.readers.plain_text import paragraph_pieces, split_paragraphs
from alexandria.knowledge.parsing.recognizers import Tools

if TYPE_CHECKING:
    from oxmsg import Message
    from oxmsg.attachment import Attachment
    from oxmsg.properties import Properties
    from oxmsg.storage import Storage

_SENT, _DELIVERED = 0x0039, 0x0E06
_RECIPIENT_KIND = 0x0C15
_KINDS = {1: "To", 2: "Cc", 3: "Bcc"}
_RTF = 0x1009
_HTML = 0x1013
_LONG_NAME, _SHORT_NAME, _SHOWN_NAME = 0x3707, 0x3704, 0x3001
_CONTENT_ID = 0x3712
_EMBEDDED = "__substg1.0_3701000D"
_EMBEDDED_HEADER = 24
_LOCKED = "IPM.Note.SMIME"
_SIGNED = "IPM.Note.SMIME.MultipartSigned"
_DECRYPT = "Open it in Outlook, save a readable copy and re-add it."


def read_outlook(source: Source) -> Draft:
    """A message and its attachments.

    Raises:
        PasswordProtectedError: Its text is encrypted.
    """
    from oxmsg import Message

    return draft_letters([_letter(Message.load(source.content))])


def _letter(message: "Message") -> Letter:
    files = tuple(_files(message))
    fields = tuple(_fields(message))
    if message.message_class == _SIGNED and len(files) == 1:
        return read_letter(files[0].content)
    body, failures = _body(message)
    if not body and message.message_class == _LOCKED:
        raise PasswordProtectedError("The message is encrypted.", advice=_DECRYPT)
    return Letter(
        subject=one_line(message.subject),
        sender=sender_of(dict(fields).get("From", "")),
        fields=fields,
        body=tuple(body),
        files=files,
        notes=tuple(failures),
    )


def _fields(message: "Message") -> Iterator[tuple[str, str]]:
    if message.sender:
        yield "From", one_line(message.sender.replace('"', ""))
    people: dict[str, list[str]] = {}
    for one in message.recipients:
        kind = _KINDS.get(one.properties.int_prop_value(_RECIPIENT_KIND) or 1, "To")
        address = f"<{one.email_address}>" if "@" in one.email_address else ""
        people.setdefault(kind, []).append(one_line(f"{one.name} {address}"))
    for kind in _KINDS.values():
        if kind in people:
            yield kind, ", ".join(people[kind])
    when = message.properties.date_prop_value(_SENT)
    when = when or message.properties.date_prop_value(_DELIVERED)
    if isinstance(when, datetime):
        yield "Date", f"{when:%Y-%m-%d %H:%M} UTC"


def _body(message: "Message") -> tuple[list[Piece], list[Note]]:
    """The HTML body when it says something, else the plain one, else the formatted one."""
    failures: list[Note] = []
    for read in (_html_body, _plain_body, _rich_body):
        try:
            pieces = read(message)
        except UnreadableError as error:
            failures.append(Note("unread_part", f"A form of the text was not read: {error}"))
        else:
            if pieces:
                return pieces, []
    return [], failures


def _html_body(message: "Message") -> list[Piece]:
    markup = _markup(message)
    return markup_pieces(parse_markup(markup)) if markup.strip() else []


def _markup(message: "Message") -> str:
    """The HTML text: bytes in the message's encoding, or in old messages a string."""
    properties = message.properties
    content = properties.binary_prop_value(_HTML)
    if not content:
        return properties.str_prop_value(_HTML) or ""
    declared = b"charset" in content[:4096].lower()
    return decode_markup(content) if declared else decode_text(content, properties.body_encoding)


def _plain_body(message: "Message") -> list[Piece]:
    paragraphs = split_paragraphs(message.body or "")
    return [piece for lines in paragraphs for piece in paragraph_pieces(lines)]


def _rich_body(message: "Message") -> list[Piece]:
    packed = message.properties.binary_prop_value(_RTF)
    if not packed:
        return []
    from compressed_rtf import decompress

    rtf = decompress(packed)
    draft = read_rich_text(Source(rtf, "body.rtf", "application/rtf", Tools()))
    return [piece for section in draft.sections for piece in section.pieces]


def _files(message: "Message") -> Iterator[AttachedFile]:
    html = message.properties.binary_prop_value(_HTML) or b""
    for number, one in enumerate(message.attachments, start=1):
        storage = _embedded(one)
        if storage is not None:
            yield _inner_message(storage, number)
        elif one.file_bytes is not None:
            shown = one.properties.str_prop_value(_CONTENT_ID) or ""
            inline = bool(shown) and f"cid:{shown}".encode("ascii", "replace") in html
            yield AttachedFile(_name(one.properties, number), one.file_bytes, inline)


def _name(properties: "Properties", number: int) -> str:
    names = (properties.str_prop_value(key) for key in (_LONG_NAME, _SHORT_NAME, _SHOWN_NAME))
    return next((one_line(name) for name in names if name), f"part-{number}")


def _embedded(attachment: "Attachment") -> "Storage | None":
    """The storage of a message that is attached as such."""
    storage = cast(Any, attachment)._storage  # noqa: SLF001 - the package has no name for it
    inner: tuple[Storage, ...] = storage.storages
    return next((one for one in inner if one.name == _EMBEDDED), None)


def _inner_message(storage: "Storage", number: int) -> AttachedFile:
    """The message as an EML file."""
    from oxmsg import Message
    from oxmsg.properties import Properties

    own = Properties(storage, properties_header_offset=_EMBEDDED_HEADER)

    class Inner(Message):
        """A message without the longer header that only the outermost one has."""

        @property
        def properties(self) -> Properties:
            return own

    message = Inner(storage)
    mail = MIMEMultipart()
    for name, text in (("Subject", one_line(message.subject)), *_fields(message)):
        mail[name] = Header(text, "utf-8", maxlinelen=0).encode()
    mail.attach(_mail_body(message))
    for one in _files(message):
        mail.attach(_mail_file(one))
    return AttachedFile(titled(message.subject, number), mail.as_bytes())


def _mail_body(message: "Message") -> MIMEText:
    markup = _markup(message)
    if markup.strip():
        return MIMEText(markup, "html", "utf-8")
    text = message.body or "\n\n".join(piece.text for piece in _rich_body(message))
    return MIMEText(text, "plain", "utf-8")


def _mail_file(file: AttachedFile) -> MIMEApplication:
    part = MIMEApplication(file.content)
    how = "inline" if file.is_inline else "attachment"
    part.add_header("Content-Disposition", how, filename=("utf-8", "", file.name))
    kind = mimetypes.guess_type(file.name)[0]
    if kind:
        part.set_type(kind)
    return part
