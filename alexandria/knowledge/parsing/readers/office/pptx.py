"""PPTX through python-pptx: shapes from top to bottom, tables, charts, diagrams, notes.

A slide's heading is its title shape. Charts are read as the table they are drawn from.
"""

import io
from collections.abc import Iterator
from typing import Any

from alexandria.knowledge.documents import BlockKind, UnitKind
from alexandria.knowledge.parsing.archives import Element, open_archive, parse_xml
from alexandria.knowledge.parsing.drafts import (
    PICTURE_UNIT,
    Draft,
    Piece,
    Section,
    Source,
    heading,
    one_line,
    paragraph,
)
from alexandria.knowledge.parsing.pictures.office import add_office_pictures
from alexandria.knowledge.parsing.readers.office.properties import core_properties
from alexandria.knowledge.parsing.tables import Cell, fill_spans, table_pieces

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_PICTURE = "{http://schemas.openxmlformats.org/presentationml/2006/main}pic"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DIAGRAM_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
_BULLETS = (f"{_DRAWING}pPr/{_DRAWING}buChar", f"{_DRAWING}pPr/{_DRAWING}buAutoNum")
_MOST_CATEGORIES = 10_000


def read_pptx(source: Source) -> Draft:
    """A presentation: one unit for each slide, speaker notes after the slide's text."""
    with open_archive(source.content) as archive:
        properties = core_properties(archive)
    from pptx.package import Package

    package = Package.open(io.BytesIO(source.content))  # slide shows and templates open too
    slides = package.main_document_part.presentation.slides
    sections = [_slide(slide, number) for number, slide in enumerate(slides, start=1)]
    return add_office_pictures(Draft(tuple(sections), **properties), source.content)


def _slide(slide: Any, number: int) -> Section:
    title = slide.shapes.title
    pieces: list[Piece] = []
    shapes = sorted(_shapes(slide.shapes), key=lambda one: (one.top or 0, one.left or 0))
    for shape in shapes:
        is_title = title is not None and shape.shape_id == title.shape_id
        pieces += _title(shape) if is_title else _shape(shape)
    pieces += _notes(slide)
    name = one_line(title.text_frame.text) if title is not None else ""
    label = f"Slide {number}: {name}" if name else f"Slide {number}"
    has_picture = next(slide.element.iter(_PICTURE), None) is not None
    problem = PICTURE_UNIT if has_picture and not pieces else None
    return Section(UnitKind.SLIDE, label, f"slide={number}", tuple(pieces), problem)


def _shapes(shapes: Any) -> Iterator[Any]:
    """The shapes with those of groups in place of the groups."""
    from pptx.shapes.group import GroupShape

    for shape in shapes:
        if isinstance(shape, GroupShape):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _title(shape: Any) -> Iterator[Piece]:
    """The title's first lines are the heading; bullets in its shape are not."""
    lines = [one for one in shape.text_frame.paragraphs if one.text.strip()]
    plain = [one for one in lines if not _is_bulleted(one)]
    if plain:
        yield heading(" ".join(one_line(one.text) for one in plain))
    for one in lines:
        if _is_bulleted(one):
            yield Piece(BlockKind.LIST_ITEM, one.text)


def _shape(shape: Any) -> Iterator[Piece]:
    if getattr(shape, "has_chart", False):
        yield from _chart(shape.chart)
    elif shape.has_text_frame:
        for one in shape.text_frame.paragraphs:
            if one.text.strip():
                kind = BlockKind.LIST_ITEM if _is_bulleted(one) else BlockKind.PARAGRAPH
                yield Piece(kind, one.text)
    elif getattr(shape, "has_table", False):
        yield from _table(shape.table._tbl)  # noqa: SLF001 - the element, for the merged cells
    else:
        yield from _diagram(shape)


def _is_bulleted(line: Any) -> bool:
    return any(line._p.find(one) is not None for one in _BULLETS)  # noqa: SLF001 - the element


def _table(table: Element) -> Iterator[Piece]:
    rows = list(fill_spans(map(_cells, table.iter(f"{_DRAWING}tr"))))
    if max(map(len, rows), default=0) < 2:
        yield from (paragraph(cell) for row in rows for cell in row if cell.strip())
    else:
        yield from table_pieces(rows)


def _cells(row: Element) -> list[Cell]:
    """The cells of a row without the places that a cell to the left or above covers."""
    return [
        Cell(_text(cell), _count(cell, "gridSpan"), _count(cell, "rowSpan"))
        for cell in row.iter(f"{_DRAWING}tc")
        if not any(cell.get(one) in {"1", "true"} for one in ("hMerge", "vMerge"))
    ]


def _text(cell: Element) -> str:
    return "\n".join(
        "".join("\n" if part.tag == f"{_DRAWING}br" else part.text or "" for part in _parts(line))
        for line in cell.iter(f"{_DRAWING}p")
    )


def _parts(line: Element) -> Iterator[Element]:
    return line.iter(f"{_DRAWING}t", f"{_DRAWING}br")


def _count(cell: Element, name: str) -> int:
    text = cell.get(name) or "1"
    return int(text) if text.isascii() and text.isdecimal() else 1


def _chart(chart: Any) -> Iterator[Piece]:
    """The chart's title and its figures: one row for each category, one column a series."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield paragraph(chart.chart_title.text_frame.text)
    for plot in chart.plots:
        names = [str(one) for one in plot.categories][:_MOST_CATEGORIES]
        series = [(one.name or "", list(one.values)) for one in plot.series]
        rows = [["", *(name for name, _ in series)]]
        for at in range(max((len(values) for _, values in series), default=0)):
            name = names[at] if at < len(names) else ""
            rows.append([name, *(_figure(values, at) for _, values in series)])
        yield from table_pieces(rows[: _MOST_CATEGORIES + 1], header=len(rows) > 1)


def _figure(values: list[Any], at: int) -> str:
    found = values[at] if at < len(values) else None
    return "" if found is None else f"{found:.15g}"


def _diagram(shape: Any) -> Iterator[Piece]:
    """The texts of a diagram (SmartArt), which lie in a part of their own."""
    for link in shape.element.iter(f"{_DIAGRAM}relIds"):
        part = shape.part.related_part(link.get(_DIAGRAM_DATA))
        for point in parse_xml(part.blob).iter(f"{_DIAGRAM}pt"):
            if text := _text(point).strip():
                yield Piece(BlockKind.LIST_ITEM, text)


def _notes(slide: Any) -> Iterator[Piece]:
    frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if frame is not None and frame.text.strip():
        yield paragraph(frame.text)
