"""Parsing: the bytes of a file become text, blocks and units.

`parse_document` reads every format in `SUPPORTED`. What cannot be read raises an
`UnreadableError` that says why; what can be read in part keeps every unit, the unreadable
ones with their problem. Offsets are characters of the document's text.
"""

from alexandria.knowledge.parsing.formats import SUPPORTED, Format, detect_media_type
from alexandria.knowledge.parsing.reading import parse_document

__all__ = ["SUPPORTED", "Format", "detect_media_type", "parse_document"]
