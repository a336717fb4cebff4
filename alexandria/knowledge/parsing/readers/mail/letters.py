"""A message, however it was stored, as a unit of a draft; and its files as attachments.

The unit reads: subject, sender and recipients, what was written, the names of the files.
Pictures shown inside the message are files too, but for those under 40,000 pixels or with a side
under 100: logos and icons of signatures, which are left out and counted in a note.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from alexandria.knowledge.documents import Attachment, Note, Problem, UnitKind
from alexandria.knowledge.parsing.drafts import Draft, Piece, Section, heading, one_line, paragraph
from alexandria.knowledge.parsing.file_names import safe_names
from alexandria.knowledge.parsing.languages import UNKNOWN, detect_language

_FOLDERS = re.compile(r"^.*[/\\](?=.)", re.DOTALL)
_QUOTED = re.compile(r"^\s*>|:\s*$")
_SMALL_AREA, _SMALL_SIDE = 40_000, 100


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a message; inline when the message shows it itself."""

    name: str
    content: bytes
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A message.

    Attributes:
        subject: On one line.
        sender: Name or address.
        fields: What is shown above the text, such as ("From", "Ann <ann@example.org>").
        body: What was written, quoted lines included.
        files: What came along.
        notes: Notes on it, without a unit.
        problem: Why it could not be read.
    """

    subject: str = ""
    sender: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    body: tuple[Piece, ...] = ()
    files: tuple[AttachedFile, ...] = ()
    notes: tuple[Note, ...] = ()
    problem: Problem | None = None


def draft_letters(letters: Sequence[Letter]) -> Draft:
    """A unit for each message; names of files are unique among all of them."""
    kept = [[one for one in letter.files if not _is_small_picture(one)] for letter in letters]
    names = safe_names(_FOLDERS.sub("", one.name) for files in kept for one in files)
    sections: list[Section] = []
    attachments: list[Attachment] = []
    for number, (letter, files) in enumerate(zip(letters, kept, strict=True), start=1):
        own = [Attachment(next(names), one.content) for one in files]
        sections.append(_section(letter, number, [one.name for one in own]))
        attachments += own
    return Draft(
        tuple(sections),
        title=letters[0].subject if len(letters) == 1 else "",
        author=letters[0].sender if len(letters) == 1 else "",
        language=_own_language(letters[0].body) if len(letters) == 1 else "",
        notes=tuple(_notes(letters, kept)),
        attachments=tuple(attachments),
    )


def _section(letter: Letter, number: int, names: Sequence[str]) -> Section:
    label = letter.subject or (f"Message {number}" if number > 1 else "Message")
    pieces = () if letter.problem else tuple(_pieces(letter, names))
    return Section(UnitKind.MESSAGE, label, f"message={number}", pieces, letter.problem)


def _pieces(letter: Letter, names: Sequence[str]) -> Iterator[Piece]:
    if letter.subject:
        yield heading(letter.subject)
    if letter.fields:
        yield paragraph("\n".join(f"{name}: {text}" for name, text in letter.fields))
    yield from letter.body
    if names:
        yield paragraph(f"Attachments: {', '.join(names)}")


def _notes(letters: Sequence[Letter], kept: Sequence[list[AttachedFile]]) -> Iterator[Note]:
    for unit, (letter, files) in enumerate(zip(letters, kept, strict=True)):
        yield from (Note(note.code, note.message, unit) for note in letter.notes)
        left_out = len(letter.files) - len(files)
        if left_out:
            message = f"Small pictures inside the message were left out: {left_out}."
            yield Note("small_pictures_left_out", message, unit)


def _own_language(body: Sequence[Piece]) -> str:
    """The language of what the sender wrote: quoted lines would blur it."""
    lines = "\n".join(piece.text for piece in body).split("\n")
    language = detect_language("\n".join(line for line in lines if not _QUOTED.search(line)))
    return "" if language == UNKNOWN else language


def _is_small_picture(file: AttachedFile) -> bool:
    if not file.is_inline:
        return False
    from PIL import Image as Pillow

    try:
        with Pillow.open(BytesIO(file.content)) as picture:
            width, height = picture.size
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
        return False
    return width * height < _SMALL_AREA or min(width, height) < _SMALL_SIDE


def titled(subject: str, number: int) -> str:
    """A file name for a message inside a message."""
    return f"{one_line(subject).replace('/', '-') or f'message-{number}'}.eml"
