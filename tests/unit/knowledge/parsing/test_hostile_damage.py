"""Cut, flipped, mixed and misnamed files of every format: read by the laws, or refused."""

import random
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pytest
from test_parsing_laws import check_laws

from alexandria.errors import (
    CorruptFileError,
    EmptyFileError,
    ModelMissingError,
    UnreadableError,
)
from alexandria.knowledge.documents import ParsedDocument
from alexandria.knowledge.parsing import SUPPORTED, detect_media_type, formats, parse_document
from alexandria.knowledge.parsing.drafts import Draft, Section, Source
from alexandria.knowledge.parsing.formats import Format

Samples = dict[str, bytes]


def outcome(content: bytes, name: str) -> ParsedDocument | UnreadableError:
    """A lawful document, or the error that says why there is none; anything else fails."""
    try:
        document = parse_document(content, name)
    except UnreadableError as raised:
        error = raised
    else:
        return _lawful(document)
    assert error.advice
    assert error.message
    assert error.message.isprintable()
    return error


def _lawful(document: ParsedDocument) -> ParsedDocument:
    check_laws(document)
    assert all(note.message.isprintable() for note in document.notes)
    assert all(one.name.isprintable() for one in document.attachments)
    return document


def mutants(content: bytes, seed: str) -> Iterator[bytes]:
    """The bytes cut, flipped, holed, doubled and filled with NULs, at seeded places."""
    chance = random.Random(seed)
    size = len(content)

    def place() -> int:
        return chance.randrange(size)

    for _ in range(4):
        yield content[: place()]
        yield content[place() :]
        flipped = bytearray(content)
        for _ in range(chance.choice((1, 4, 40))):
            flipped[place()] ^= 1 << chance.randrange(8)
        yield bytes(flipped)
        first, last = sorted((place(), place()))
        yield content[:first] + content[last:]
        yield content[:first] + bytes(chance.choice((1, 100, 5000))) + content[first:]
        yield content[:first] + chance.randbytes(200) + content[first:]
    yield content * 2


def test_damaged_files_are_read_or_refused(sample: tuple[str, bytes]) -> None:
    name, content = sample
    for mutant in mutants(content, name):
        outcome(mutant, name)


def test_misnamed_files_are_what_they_hold(samples: Samples) -> None:
    """Under any name the content decides, except among kinds of text."""
    texts = {"text/plain", "text/markdown", "text/csv", "message/rfc822"}
    for name, content in samples.items():
        told = detect_media_type(content, name)
        for other in samples:
            found = outcome(content, "renamed" + PurePath(other).suffix)
            if isinstance(found, ParsedDocument) and told not in texts:
                assert found.media_type == told
                noted = "extension_mismatch" in {note.code for note in found.notes}
                assert noted == (detect_media_type(samples[other], other) != told)


@pytest.mark.parametrize("extension", [one.extensions[0] for one in SUPPORTED])
@pytest.mark.parametrize(
    "content",
    [b"\0" * 5000, b" \r\n\t" * 50, b"\xff" * 3000, b"\0a" * 3000, b"x", b"<", b"\x1f\x8b"],
    ids=["nul", "blank", "ff", "nul-a", "x", "lt", "gzip"],
)
def test_what_holds_nothing_is_read_or_refused(extension: str, content: bytes) -> None:
    found = outcome(content, f"x.{extension}")
    if not content.strip(b"\0 \r\n\t"):
        assert isinstance(found, EmptyFileError)


def test_nul_bytes_in_a_text_are_dropped() -> None:
    text = b"The beans are ripe, and the peas will follow in a week or two.\n" * 100
    holed = text[:5000] + b"\0\0" + text[5000:]
    document = parse_document(holed, "x.txt")
    assert "".join(document.text.split()) == "".join(text.decode().split())


@pytest.mark.parametrize(
    "name",
    [
        *("план.txt", "計画.txt", "خطة.txt", "a\nb.txt", "a\0b.txt", "\udcff\udcfe.txt"),
        *("..", "", "/", "." * 300),
    ],
)
def test_names_in_any_script_and_none_are_taken(name: str) -> None:
    document = parse_document(b"Beans grow in the north bed.", name)
    assert document.title.isprintable()
    document.title.encode("utf-8")


@pytest.fixture
def broken_reader(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the reader of plain text raise something."""

    def breaks(error: BaseException) -> None:
        def read(_: Source) -> Draft:
            raise error

        plain = formats.FORMATS["text/plain"]
        broken = Format(plain.media_type, plain.extensions, plain.label, plain.unit, read)
        monkeypatch.setitem(formats.FORMATS, "text/plain", broken)

    return breaks


@pytest.mark.parametrize(
    "error",
    [
        RecursionError("too deep"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no \0 such"),
        KeyError("word/\udcff.xml"),
        OSError(5, "line one\nline two"),
        AssertionError(),
        StopIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_library_raises_is_a_corrupt_file(broken_reader: Any, error: Exception) -> None:
    broken_reader(error)
    with pytest.raises(CorruptFileError) as caught:
        parse_document(b"text", "x.txt")
    assert caught.value.message.isprintable()
    assert type(error).__name__ in caught.value.message


@pytest.mark.parametrize("error", [MemoryError(), ModelMissingError(), KeyboardInterrupt()])
def test_what_says_nothing_about_the_file_passes(broken_reader: Any, error: BaseException) -> None:
    broken_reader(error)
    with pytest.raises(type(error)):
        parse_document(b"text", "x.txt")


def test_a_problem_quotes_the_file_in_a_form_any_store_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from alexandria.knowledge.documents import Note, Problem, UnitKind
    from alexandria.knowledge.parsing.drafts import paragraph

    def read(_: Source) -> Draft:
        bad = Problem("corrupt_file", "at \0\udcff\n here", "none")
        return Draft(
            (
                Section(UnitKind.PAGE, "Page 1", "page=1", (paragraph("Beans."),)),
                Section(UnitKind.PAGE, "Page 2", "page=2", problem=bad),
            ),
            notes=(Note("odd", "saw \0 and \udcff" + "x" * 5000),),
        )

    plain = formats.FORMATS["text/plain"]
    broken = Format(plain.media_type, plain.extensions, plain.label, plain.unit, read)
    monkeypatch.setitem(formats.FORMATS, "text/plain", broken)
    document = parse_document(b"text", "x.txt")
    problem = document.units[1].problem
    assert problem is not None
    assert problem.reason == "at \ufffd here"
    assert document.notes[0].message.startswith("saw and \ufffd")
    assert len(document.notes[0].message) <= 500
