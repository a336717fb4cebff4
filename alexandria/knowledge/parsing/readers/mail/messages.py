"""E-mail: the message is one unit, its files become documents of their own; and mailboxes.

Python's own mail parser with the readers of this package for the parts. unstructured's
mail reader drops the headers and runs attachments into the body.
"""

import re
from collections.abc import Iterator
from email.message import Message

from alexandria.errors import (
    CorruptFileError,
    PasswordProtectedError,
    UnreadableError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import Note, Problem
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.readers.mail.headers import (
    header_text,
    is_cut,
    parse_message,
    sender_of,
)
from alexandria.knowledge.parsing.readers.mail.letters import Letter, draft_letters
from alexandria.knowledge.parsing.readers.mail.parts import Parts, read_parts

_SHOWN = ("From", "To", "Cc", "Bcc", "Date")
_POSTMARK = re.compile(
    rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\r\n]*\d:\d\d[^\r\n]*\r?\n(?=[!-9;-~]+:|>From )"
)
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_DECRYPT = "Open it in the mail program that can decrypt it, save a readable copy and re-add it."
_UNWRAP = "Open it in a mail program, save it as text, HTML or PDF and re-add it."


def read_mail(source: Source) -> Draft:
    """A message and its attachments.

    Raises:
        CorruptFileError: It has no headers.
        PasswordProtectedError: All its text is encrypted.
        UnsupportedFormatError: All of it is wrapped in a signature.
    """
    return draft_letters([read_letter(source.content)])


def read_mailbox(source: Source) -> Draft:
    """A mailbox (mbox): a unit for each message; those that cannot be read say why.

    Raises:
        CorruptFileError: No message begins in it.
    """
    starts = list(_POSTMARK.finditer(source.content))
    if not starts:
        raise CorruptFileError("The mailbox holds no message.")
    ends = [*(one.start() for one in starts[1:]), len(source.content)]
    texts = (source.content[one.end() : end] for one, end in zip(starts, ends, strict=True))
    return draft_letters([_readable(_ESCAPED.sub(rb"\1", text)) for text in texts])


def _readable(content: bytes) -> Letter:
    try:
        return read_letter(content)
    except UnreadableError as error:
        subject = header_text(parse_message(content), "Subject")
        return Letter(subject, problem=Problem(error.code, error.message, error.advice))


def read_letter(content: bytes) -> Letter:
    """The message in these bytes; raises as `read_mail`."""
    message = parse_message(content)
    if not message.keys():
        raise CorruptFileError("The file has no mail headers.")
    parts = read_parts(message)
    _refuse_unreadable(parts)
    return Letter(
        subject=header_text(message, "Subject"),
        sender=sender_of(header_text(message, "From")),
        fields=tuple(_fields(message)),
        body=(*parts.body, *parts.events),
        files=tuple(parts.files),
        notes=tuple(_notes(message, parts)),
    )


def _refuse_unreadable(parts: Parts) -> None:
    if parts.body or parts.events:
        return
    if parts.failures:
        raise parts.failures[0]
    if parts.encrypted:
        raise PasswordProtectedError("The message is encrypted.", advice=_DECRYPT)
    if parts.wrapped:
        raise UnsupportedFormatError("The message is wrapped in a signature.", advice=_UNWRAP)


def _notes(message: Message, parts: Parts) -> Iterator[Note]:
    if is_cut(message):
        yield Note("file_cut", "The message ends too early; it was read as far as it goes.")
    if parts.encrypted or parts.wrapped:
        count = parts.encrypted + parts.wrapped
        yield Note("encrypted_part", f"Parts that are encrypted or wrapped were not read: {count}.")
    for error in parts.failures:
        yield Note("unread_part", f"A part of the message was not read: {error.message}")


def _fields(message: Message) -> Iterator[tuple[str, str]]:
    for name in _SHOWN:
        text = header_text(message, name)
        if text:
            yield name, text
