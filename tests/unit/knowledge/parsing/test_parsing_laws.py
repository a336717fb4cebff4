"""The laws of parsed documents, for any draft, any text and any damage."""

import unicodedata
from html import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alexandria.errors import CorruptFileError, UnreadableError
from alexandria.knowledge.documents import BlockKind, ParsedDocument, UnitKind
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.drafts import Draft, Piece, Section, assemble, clean_text
from alexandria.knowledge.parsing.recognizers import Tools
from alexandria.knowledge.parsing.tables import table_pieces

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
PIECES = st.builds(
    Piece, st.sampled_from(BlockKind), ANY_TEXT, st.integers(0, 6), st.sampled_from(["", "time=1"])
)
SECTIONS = st.lists(st.lists(PIECES, max_size=5), max_size=5)
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def check_laws(document: ParsedDocument) -> None:
    text = document.text
    assert unicodedata.is_normalized("NFC", text)
    assert not {"\r", "\0", "\ufeff"} & set(text)
    covered = 0
    for block in document.blocks:
        assert covered <= block.start < block.end <= len(text)
        assert not text[covered : block.start].strip()
        unit = document.units[block.unit]
        assert unit.start <= block.start
        assert block.end <= unit.end
        covered = block.end
    assert not text[covered:].strip()
    assert [one.ordinal for one in document.units] == list(range(len(document.units)))
    assert len({one.anchor for one in document.units}) == len(document.units)
    for unit in document.units:
        assert (unit.problem is None) == (unit.start < unit.end) or not text
    assert text.strip() or any(one.problem is None for one in document.units)
    assert all(a.end <= b.start for a, b in zip(document.units, document.units[1:], strict=False))


@given(SECTIONS)
def test_any_draft_becomes_a_lawful_document(pieces: list[list[Piece]]) -> None:
    sections = tuple(
        Section(UnitKind.PAGE, f"Page {i}", f"page={i}", tuple(one)) for i, one in enumerate(pieces)
    )
    try:
        document = assemble(Draft(sections), "text/plain")
    except UnreadableError:
        assert not any(clean_text(one.text).strip() for group in pieces for one in group)
    else:
        check_laws(document)


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.text(st.characters(codec="utf-8"), max_size=400), st.sampled_from(["txt", "md", "csv"]))
def test_text_never_loses_a_letter(text: str, extension: str) -> None:
    try:
        document = parse_document(text.encode(), f"x.{extension}")
    except UnreadableError:
        return
    check_laws(document)
    if extension == "txt" and document.media_type == "text/plain":
        assert "".join(document.text.split()) == "".join(clean_text(text).split())


@given(st.lists(st.text("ab&<> é", max_size=20), max_size=8), st.sampled_from(["p", "li", "td"]))
def test_html_never_loses_a_letter(texts: list[str], tag: str) -> None:
    body = "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
    page = f"<html><body><table>{body}</table></body></html>"
    try:
        document = parse_document(page.encode(), "x.html")
    except UnreadableError:
        assert not "".join(texts).strip()
        return
    check_laws(document)
    assert sorted("".join(document.text.split())) == sorted("".join("".join(texts).split()))


@pytest.mark.parametrize("depth", [300, 3_000])
def test_deep_pages_are_read_whole_or_refused(depth: int) -> None:
    page = b"<html><body>" + b"<div>" * depth + b"core"
    try:
        assert parse_document(page, "x.html").text == "core"
    except CorruptFileError:
        assert depth > 2_000


CELLS = st.text("ab1 ", max_size=5)


@given(st.lists(st.lists(CELLS, max_size=4), max_size=5), st.sampled_from([True, False, None]))
def test_every_cell_of_a_table_is_in_its_text(rows: list[list[str]], header: bool | None) -> None:
    text = "\n".join(piece.text for piece in table_pieces(rows, header))
    assert all(" ".join(cell.split()) in text for row in rows for cell in row)


def test_samples_are_lawful(sample: tuple[str, bytes], tools: Tools) -> None:
    name, content = sample
    check_laws(parse_document(content, name, tools))


def _survives(content: bytes, name: str, tools: Tools) -> None:
    try:
        document = parse_document(content, name, tools)
    except UnreadableError:
        return
    check_laws(document)


@pytest.mark.parametrize("percent", [0, 1, 10, 50, 90, 99])
def test_cut_files_are_read_or_refused(
    sample: tuple[str, bytes], percent: int, tools: Tools
) -> None:
    name, content = sample
    _survives(content[: len(content) * percent // 100], name, tools)


@FEW
@given(data=st.data())
def test_damaged_files_are_read_or_refused(
    samples: dict[str, bytes], data: st.DataObject, tools: Tools
) -> None:
    name = data.draw(st.sampled_from(sorted(set(samples) - {"seeds.odt"})))
    content = bytearray(samples[name])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _survives(bytes(content), name, tools)


@FEW
@given(content=st.binary(max_size=200), data=st.data())
def test_garbage_is_refused_or_read(
    samples: dict[str, bytes], content: bytes, data: st.DataObject, tools: Tools
) -> None:
    name = data.draw(st.sampled_from(sorted(samples)))
    head = samples[name][: data.draw(st.sampled_from([0, 4, 8, 60]))]
    _survives(head + content, name, tools)
