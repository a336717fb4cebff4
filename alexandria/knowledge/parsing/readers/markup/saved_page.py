"""MHTML: a web page that a browser saved with its files in one, built like a message."""

from email.message import Message

from alexandria.errors import CorruptFileError
from alexandria.knowledge.parsing.decoding import decode_markup, decode_text
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.readers.mail.headers import parse_message
from alexandria.knowledge.parsing.readers.markup.hypertext import read_page


def read_saved_page(source: Source) -> Draft:
    """The page itself: the first HTML part; frames and pictures are left aside.

    Raises:
        CorruptFileError: There is no HTML part.
    """
    for part in parse_message(source.content).walk():
        if part.get_content_type() in {"text/html", "application/xhtml+xml"}:
            return read_page(_text(part))
    raise CorruptFileError("The saved page holds no HTML part.")


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset()
    return decode_text(content, charset) if charset else decode_markup(content)
