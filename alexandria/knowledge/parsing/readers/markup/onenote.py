"""OneNote pages as Microsoft Graph hands them out: what only marks say, put into words.

Note tags, attached files, pictures' descriptions and videos are attributes on such a page,
and its blocks lie anywhere. Here the blocks get their reading order (from top to bottom,
then left to right), and the attributes become text. The page's addresses need a token, so
the files behind them are not read; their names are.
"""

import re
from collections.abc import Callable

from alexandria.knowledge.parsing.archives import Element
from alexandria.knowledge.parsing.drafts import one_line
from alexandria.knowledge.parsing.readers.markup.elements import tag_of, take_out

_PLACE = re.compile(r"(?<![\w-])(top|left)\s*:\s*(-?[\d.]+)")
_TASK = re.compile(r"to-do(?:-(.+))?")


def is_onenote_page(root: Element) -> bool:
    """Whether the page carries the marks of Graph's page content."""
    return root.get("htmlns") is not None or any(
        one.get("data-absolute-enabled") is not None for one in root if tag_of(one) == "body"
    )


def spell_out(root: Element) -> None:
    """Bring the blocks in reading order and turn tags, files and pictures into text."""
    for body in [one for one in root.iter() if tag_of(one) == "body"]:
        _order_blocks(body)
    for element in list(root.iter()):
        say = _SAYINGS.get(tag_of(element))
        if say is not None:
            _replace(element, say(element))
        elif element.get("data-tag"):
            element.text = f"{_tags(element)} {(element.text or '').lstrip()}"


def _order_blocks(body: Element) -> None:
    blocks = [one for one in body if _place(one)]
    if len(blocks) < 2:
        return
    first = body.index(blocks[0])
    for offset, block in enumerate(sorted(blocks, key=_top_and_left)):
        body.insert(first + offset, block)


def _place(block: Element) -> dict[str, str]:
    return dict(_PLACE.findall(block.get("style") or ""))


def _top_and_left(block: Element) -> tuple[float, float]:
    place = _place(block)
    return _number(place.get("top", "0")), _number(place.get("left", "0"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _replace(element: Element, text: str) -> None:
    """Wrap the element in a paragraph that says it; none where there is nothing to say."""
    if not text:
        return
    said = element.makeelement("p", {})
    said.text = f"{_tags(element)} {text}".strip()
    take_out(element, said)
    said.append(element)


def _tags(element: Element) -> str:
    """The note tags in brackets: "[done]", "[to do, priority 1] [important]"."""
    tags = filter(None, map(str.strip, (element.get("data-tag") or "").split(",")))
    return " ".join(f"[{_tag(tag)}]" for tag in tags)


def _tag(tag: str) -> str:
    name, _, state = tag.partition(":")
    done = state == "completed"
    task = _TASK.fullmatch(name)
    words = [("done" if done else "to do"), task[1] or ""] if task else [name, "done" * done]
    return ", ".join(word.replace("-", " ") for word in words if word)


def _file(element: Element) -> str:
    name = one_line(element.get("data-attachment") or "")
    return f"Attached file: {name}" if name else ""


def _picture(element: Element) -> str:
    """The picture's description; of one cut in strips, only the first strip's."""
    text = one_line(element.get("alt") or "")
    is_first = (element.get("data-index") or "0") == "0"
    return f"Picture: {text}" if text and is_first else ""


def _video(element: Element) -> str:
    address = one_line(element.get("data-original-src") or "")
    return f"Video: {address}" if address else ""


_SAYINGS: dict[str, Callable[[Element], str]] = {
    "object": _file,
    "img": _picture,
    "iframe": _video,
}
