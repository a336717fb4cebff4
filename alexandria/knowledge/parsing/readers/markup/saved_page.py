"""MHTML: a web page that a browser saved with its files in one, built like a message."""

from dataclasses import replace
from email.message import Message

from alexandria.errors import CorruptFileError
from alexandria.knowledge.documents import Note
from alexandria.knowledge.parsing.decoding import decode_markup, decode_text
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.readers.mail.headers import is_cut, parse_message
from alexandria.knowledge.parsing.readers.markup.hypertext import read_page

_CUT = Note("file_cut", "The page ends too early; it was read as far as it goes.")


def read_saved_page(source: Source) -> Draft:
    """The page itself: the first HTML part; frames and pictures are left aside.

    Raises:
        CorruptFileError: There is no HTML part.
    """
    message = parse_message(source.content)
    notes = (_CUT,) if is_cut(message) else ()
    for part in message.walk():
        if part.get_content_type() in {"text/html", "application/xhtml+xml"}:
            draft = read_page(_text(part))
            return replace(draft, notes=(*draft.notes, *notes))
    raise CorruptFileError("The saved page holds no HTML part.")


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset()
    return decode_text(content, charset) if charset else decode_markup(content)
