"""CSV and TSV: one sheet, one table piece for each row, whatever separates the values.

The separator is the one that cuts the first lines into the most even columns, so decimal
commas and commas in prose do not mislead it. Lines above the header, such as a report's
title and date, are paragraphs.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import Draft, Piece, Section, Source, paragraph
from alexandria.knowledge.parsing.tables import table_pieces

_SNIFFED_LINES = 60
_SNIFFED = 65_536
_SEPARATORS = ",;\t|"
_SAID = "sep="
_MOST_PREAMBLE = 20
_NARROW = 0.5
_LINES_IN_CELL = 200


def read_delimited(source: Source) -> Draft:
    """A table in a text file; work and memory grow with its size alone."""
    text = decode_text(source.content)
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    first, _, rest = text.partition("\n")
    said = first.strip().strip('"')
    if said.lower().startswith(_SAID) and len(said) == len(_SAID) + 1:
        text, separator = rest, said[-1]
    else:
        separator = _separator(text[:_SNIFFED])
    rows = _rows(text, separator, _quoting(text, separator))
    preamble, body = _preamble(rows)
    pieces = (*preamble, *table_pieces(body))
    return Draft((Section(UnitKind.SHEET, "Table", "sheet=1", pieces),))


def _rows(text: str, separator: str, quoting: int) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    quote = _quote(text[:_SNIFFED], separator)
    if quoting == csv.QUOTE_NONE:
        return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=True)


def _separator(sample: str) -> str:
    """The separator that most lines agree on; of two alike, the one with more columns."""

    def evenness(separator: str) -> tuple[float, int]:
        rows = list(islice(_rows(sample, separator, csv.QUOTE_MINIMAL), _SNIFFED_LINES))
        widths = Counter(len(row) for row in rows if any(row))
        wide = {width: count for width, count in widths.items() if width > 1}
        if not wide:
            return 0.0, 0
        width, count = max(wide.items(), key=lambda one: (one[1], one[0]))
        return count / widths.total(), width

    return max(_SEPARATORS, key=evenness)


def _quote(sample: str, separator: str) -> str:
    """The quotation mark: the double one, unless single ones stand at the cells' ends."""
    single = sample.count(f"{separator}'") + sample.count("\n'")
    closed = sample.count(f"'{separator}") + sample.count("'\n")
    return "'" if '"' not in sample and min(single, closed) > 2 else '"'


def _quoting(text: str, separator: str) -> int:
    """Whether quotation marks hold cells together; not where a lone one swallows the rest."""
    if text.count('"') % 2:
        for row in _rows(text, separator, csv.QUOTE_MINIMAL):
            if any(cell.count("\n") > _LINES_IN_CELL for cell in row):
                return csv.QUOTE_NONE
    return csv.QUOTE_MINIMAL


def _preamble(rows: Iterator[list[str]]) -> tuple[list[Piece], Iterator[Sequence[str]]]:
    """Lines above the table, which hold fewer values than its rows, and the rest."""
    head = list(islice(rows, _SNIFFED_LINES))
    widths = Counter(_filled(row) for row in head if any(row))
    usual = max(widths.items(), key=lambda one: (one[1], one[0]))[0] if widths else 0
    start = 0
    while start < min(len(head), _MOST_PREAMBLE) and _is_above(head[start], usual):
        start += 1
    if start == len(head):
        start = 0
    above = [": ".join(filter(None, map(str.strip, row))) for row in head[:start]]
    table = (row if len(row) > 1 else [*row, ""] for row in chain(head[start:], rows))
    return [paragraph(line) for line in above if line], table


def _is_above(row: Sequence[str], usual: int) -> bool:
    """Whether the row has few values, and all at its left: no group of columns is named so."""
    filled = _filled(row)
    return filled <= _NARROW * usual and filled == _filled(row[:filled])


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)
