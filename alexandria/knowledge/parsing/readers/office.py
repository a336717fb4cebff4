"""DOCX and PPTX through unstructured, XLSX through openpyxl, ODT through pandoc; offline.

unstructured walks Word and PowerPoint files (paragraph styles, list items, merged cells,
slide order); its guesses from language analysis are not used: a heading is what the file
styles as one. For XLSX it turns whole numbers into fractions and drops empty sheets, so
openpyxl, which it uses itself, is asked directly. ODT goes through pandoc's HTML, which
keeps more structure than its DOCX, and the page reader.
"""

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from itertools import compress, groupby, zip_longest
from typing import TYPE_CHECKING, Any

from alexandria.errors import CorruptFileError
from alexandria.knowledge.documents import BlockKind, UnitKind
from alexandria.knowledge.parsing.archives import (
    Properties,
    open_archive,
    parse_xml,
    read_properties,
)
from alexandria.knowledge.parsing.drafts import (
    PICTURE_UNIT,
    Draft,
    Piece,
    Section,
    Source,
    heading,
    one_line,
    paragraph,
    split_chapters,
)
from alexandria.knowledge.parsing.readers.hypertext import (
    markup_pieces,
    parse_markup,
    table_rows,
    tag_of,
)
from alexandria.knowledge.parsing.readers.offline_sentences import use_offline_sentences
from alexandria.knowledge.parsing.tables import table_pieces

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_KINDS = {
    "Title": BlockKind.HEADING,
    "ListItem": BlockKind.LIST_ITEM,
    "CodeSnippet": BlockKind.CODE,
}
_DROPPED = frozenset({"Header", "Footer", "PageBreak", "PageNumber", "Image"})
_CORE = "docProps/core.xml"
_NO_TITLES = frozenset(
    {
        "powerpoint presentation",
        "slide 1",
        "document",
        "untitled",
        "word document",
        "microsoft word",
    }
)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_ASIDES = (
    ("word/document.xml", "txbxContent"),
    ("word/footnotes.xml", "footnote"),
    ("word/endnotes.xml", "endnote"),
)
_QUIET: dict[str, Any] = {"languages": [""], "detect_language_per_element": False}


def read_docx(source: Source) -> Draft:
    """A Word document; chapters by its top heading styles, notes at the end."""
    with open_archive(source.content) as archive:
        properties = _properties(archive)
        notes = list(_notes(archive))
    use_offline_sentences()
    from unstructured.partition.docx import partition_docx

    elements = partition_docx(file=io.BytesIO(source.content), **_QUIET)
    pieces = [piece for element in elements for piece in _pieces(element)]
    return Draft(split_chapters([*pieces, *notes]), **properties)


def read_pptx(source: Source) -> Draft:
    """A presentation: one unit for each slide, speaker notes after the slide's text."""
    with open_archive(source.content) as archive:
        properties = _properties(archive)
    use_offline_sentences()
    from pptx import Presentation
    from unstructured.partition.pptx import partition_pptx

    slides = list(Presentation(io.BytesIO(source.content)).slides)
    elements = partition_pptx(
        file=io.BytesIO(source.content),
        include_page_breaks=False,
        include_slide_notes=True,
        **_QUIET,
    )
    by_slide: dict[int, list[Element]] = {}
    for element in elements:
        by_slide.setdefault(element.metadata.page_number or 1, []).append(element)
    sections = [
        _slide(slide, number, by_slide.get(number, []))
        for number, slide in enumerate(slides, start=1)
    ]
    return Draft(tuple(sections), **properties)


def read_xlsx(source: Source) -> Draft:
    """A workbook: one unit for each sheet, one table piece for each row, values as saved."""
    with open_archive(source.content) as archive:
        properties = _properties(archive)
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of extensions it leaves out
        workbook = load_workbook(io.BytesIO(source.content), data_only=True, read_only=True)
        sections = [_sheet(sheet.title, sheet) for sheet in workbook.worksheets]
        sections += [_sheet(chart.title, None) for chart in workbook.chartsheets]
    workbook.close()
    return Draft(tuple(sections), **properties)


def _sheet(name: str, sheet: Any) -> Section:
    """A sheet; rows between empty rows are a table, a lone cell above it is a caption."""
    if sheet is not None:
        sheet.reset_dimensions()  # one stray far cell must not make every row that wide
    rows = sheet.iter_rows(values_only=True) if sheet is not None else ()
    pieces: list[Piece] = []
    for filled, group in groupby(([_value(cell) for cell in row] for row in rows), any):
        table = list(group) if filled else []
        while table and sum(map(bool, table[0])) == 1:
            pieces.append(paragraph("".join(table.pop(0))))
        used = [any(column) for column in zip_longest(*table, fillvalue="")]
        pieces += table_pieces([list(compress(row, used)) for row in table])
    return Section(UnitKind.SHEET, f"Sheet {name}", f"sheet={name}", tuple(pieces))


def _value(cell: Any) -> str:
    """A cell's value as people write it: dates without a midnight, no trailing ".0"."""
    if cell is None:
        return ""
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, float):
        return f"{cell:.15g}"
    return str(cell)


def read_odt(source: Source) -> Draft:
    """An OpenDocument text, converted to HTML by pandoc without access to other files.

    Raises:
        CorruptFileError: pandoc does not understand it.
    """
    with open_archive(source.content) as archive:
        properties = read_properties(archive, "meta.xml")
    import pypandoc

    try:
        html = pypandoc.convert_text(source.content, "html", format="odt", sandbox=True)
    except RuntimeError as error:
        raise CorruptFileError("The document does not follow the OpenDocument format.") from error
    pieces = markup_pieces(parse_markup(f"<html><body>{html}</body></html>"))
    return Draft(split_chapters(pieces), **properties)


def _properties(archive: zipfile.ZipFile) -> Properties:
    """Core properties; titles that programs fill in by themselves do not count."""
    found = read_properties(archive, _CORE)
    if found.get("title", "").lower() in _NO_TITLES:
        del found["title"]
    return found


def _pieces(element: "Element") -> Iterator[Piece]:
    """Pieces of an element of a text document, where titles are styled headings."""
    kind = _KINDS.get(element.category, BlockKind.PARAGRAPH)
    if kind is BlockKind.HEADING:
        yield heading(element.text, (element.metadata.category_depth or 0) + 1)
    else:
        yield from _plain_pieces(element)


def _plain_pieces(element: "Element") -> Iterator[Piece]:
    """Pieces of an element whose title category is a guess and not believed."""
    if element.category in _DROPPED:
        return
    if element.metadata.text_as_html:
        yield from _table_pieces(element.metadata.text_as_html)
    else:
        kind = _KINDS.get(element.category, BlockKind.PARAGRAPH)
        plain = BlockKind.PARAGRAPH if kind is BlockKind.HEADING else kind
        yield Piece(plain, element.text)


def _table_pieces(html: str) -> list[Piece]:
    rows = list(table_rows(parse_markup(html)))
    if max((len(row) for row in rows), default=0) < 2:
        return [paragraph(cell) for row in rows for cell in row]
    return table_pieces(rows)


def _slide(slide: Any, number: int, elements: Iterable["Element"]) -> Section:
    shape = slide.shapes.title
    title = one_line(shape.text_frame.text) if shape is not None else ""
    pieces: list[Piece] = []
    for element in elements:
        is_title = title and one_line(element.text) == title and element.category == "Title"
        if is_title and not any(piece.kind is BlockKind.HEADING for piece in pieces):
            pieces.append(heading(element.text))
        else:
            pieces += _plain_pieces(element)
    label = f"Slide {number}: {title}" if title else f"Slide {number}"
    problem = PICTURE_UNIT if _has_picture(slide) and not pieces else None
    return Section(UnitKind.SLIDE, label, f"slide={number}", tuple(pieces), problem)


def _has_picture(slide: Any) -> bool:
    return any(tag_of(one) == "pic" for one in slide.element.iter())


def _notes(archive: zipfile.ZipFile) -> Iterator[Piece]:
    """Text boxes, footnotes and endnotes, which unstructured leaves out."""
    names = archive.namelist()
    for member, tag in _ASIDES:
        if member not in names:
            continue
        for aside in parse_xml(archive.read(member)).iter(f"{{{_WORD}}}{tag}"):
            if not any(tag_of(one) == "fallback" for one in aside.iterancestors()):
                yield from _aside_paragraphs(aside)


def _aside_paragraphs(aside: Any) -> Iterator[Piece]:
    for one in aside.iter(f"{{{_WORD}}}p"):
        text = "".join(run.text or "" for run in one.iter(f"{{{_WORD}}}t"))
        if text.strip():
            yield paragraph(text)
