"""CSV and TSV: one sheet, one table piece for each row, the first row as headers."""

import csv
import io

from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import Draft, Section, Source
from alexandria.knowledge.parsing.tables import table_pieces

_SNIFFED = 16_384
_DELIMITERS = ",;\t|"


def read_delimited(source: Source) -> Draft:
    """A table in a text file; its delimiter is guessed from the first 16 KiB."""
    text = decode_text(source.content)
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    rows = csv.reader(io.StringIO(text, newline=""), _dialect(text[:_SNIFFED]))
    section = Section(UnitKind.SHEET, "Table", "sheet=1", tuple(table_pieces(rows)))
    return Draft((section,))


def _dialect(sample: str) -> type[csv.Dialect]:
    first = sample.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)

    class Dialect(csv.excel):
        pass

    Dialect.delimiter = delimiter
    return Dialect
