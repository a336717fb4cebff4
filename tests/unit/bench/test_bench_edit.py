"""The edit that is measured changes one paragraph and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.edit import SENTENCE, edited, longest_text

ADDED = SENTENCE.encode()


@given(st.binary(max_size=500))
def test_a_sentence_is_added_and_no_byte_is_lost(content: bytes) -> None:
    after = edited(content)
    assert len(after) == len(content) + len(ADDED)
    assert after.replace(ADDED, b"", 1) == content


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_it_ends_the_paragraph_in_the_middle(end: str) -> None:
    paragraphs = [
        f"Paragraph {number} tells of the lamp,{end}and of the oil." for number in range(9)
    ]
    after = edited((2 * end).join(paragraphs).encode()).decode().split(2 * end)
    assert len(after) == len(paragraphs)
    (changed,) = [one for one, other in zip(after, paragraphs, strict=True) if one != other]
    assert changed == paragraphs[after.index(changed)] + SENTENCE
    assert 3 <= after.index(changed) <= 5


def test_the_longest_text_is_chosen_and_pictures_are_not(tmp_path: Path) -> None:
    for name, size in (("a.txt", 3), ("b.md", 9), ("c.jpg", 99)):
        (tmp_path / name).write_bytes(b"x" * size)
    assert longest_text(tmp_path).name == "b.md"
    (tmp_path / "b.md").unlink()
    (tmp_path / "a.txt").unlink()
    with pytest.raises(ValueError, match="nothing to edit"):
        longest_text(tmp_path)
