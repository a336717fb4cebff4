"""Random parsed documents for the chunking tests, and a tokenizer they can do without."""

import re

from hypothesis import strategies as st

from alexandria.knowledge.documents import Block, BlockKind, ParsedDocument, Unit, UnitKind

_TOKEN = re.compile(r"\w{1,40}|[^\w\s]")


def token_spans(text: str) -> list[tuple[int, int]]:
    """Words and marks; words above 40 characters come apart."""
    return [found.span() for found in _TOKEN.finditer(text)]


def whole_word_spans(text: str) -> list[tuple[int, int]]:
    """Like a WordPiece tokenizer that gives up on long words: one token each."""
    return [found.span() for found in re.finditer(r"\S+", text)]


def document(
    *blocks: tuple[BlockKind, str, int, int], kind: UnitKind = UnitKind.TEXT
) -> ParsedDocument:
    """A document of (kind, text, unit, level) blocks, an empty line between them."""
    text = ""
    placed: list[Block] = []
    edges: dict[int, list[int]] = {}
    for role, content, unit, level in blocks:
        text += "\n\n" if text else ""
        start = len(text)
        text += content
        placed.append(Block(role, start, len(text), unit, level))
        edges.setdefault(unit, [start])[1:] = [len(text)]
    units: list[Unit] = []
    for i in range(max(edges, default=0) + 1):
        start, end = edges.get(i, [len(text), len(text)])
        units.append(Unit(i, kind, f"Page {i + 1}", f"page={i + 1}", start, end))
    return ParsedDocument("Title", "", "en", "text/plain", text, tuple(units), tuple(placed))


def prose(*paragraphs: str) -> ParsedDocument:
    """Paragraphs of one unit."""
    return document(*((BlockKind.PARAGRAPH, text, 0, 0) for text in paragraphs))


_WORDS = st.sampled_from(
    [
        "Alexandria",
        "the",
        "of",
        "sea.",
        "Why?",
        "e\u0301te\u0301",
        "図書館",
        "。",
        "👩‍👩‍👧",
        "a,",
        "3.14",
    ]
)
_CONTENT = st.one_of(
    st.lists(_WORDS, min_size=1, max_size=90).map(" ".join),
    st.lists(_WORDS, min_size=1, max_size=60).map("".join),
    st.lists(_WORDS, min_size=1, max_size=12).map("\n".join),
    st.integers(1, 3000).map(lambda n: "x" * n),
    st.text(min_size=1, max_size=60),
    st.just("  "),
)
_ROLES = st.sampled_from([BlockKind.PARAGRAPH] * 4 + list(BlockKind))


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    """Valid documents of a few units, blocks of every kind and awkward content."""
    blocks: list[tuple[BlockKind, str, int, int]] = []
    unit = 0
    for _ in range(draw(st.integers(0, 14))):
        unit += draw(st.sampled_from([0, 0, 0, 1]))
        role = draw(_ROLES)
        heading = role is BlockKind.HEADING
        content = draw(_CONTENT)[: 200 if heading else None]
        blocks.append((role, content, unit, draw(st.integers(1, 3)) if heading else 0))
    return document(*blocks, kind=draw(st.sampled_from([UnitKind.PAGE, UnitKind.SLIDE])))
