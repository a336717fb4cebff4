"""Numbers of a workbook as its cells show them: dates, percent, currency, thousands.

Excel keeps every number as a float and a format beside it. Only what carries meaning is
followed: kind, decimals, separators, units in quotes. Colours, conditions, padding and
scientific notation are not; such numbers are shown with up to 15 digits, as typed.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

_QUOTED = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|[_*].')
_BRACKETS = re.compile(r"\[(?![$hHmMsS])[^\]]*\]")
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.([0#?]+))?|\.([0#?]+)")
_MARK = "\0"
_PLAIN = frozenset({"general", "@", "", "0", "#"})


@dataclass(frozen=True, slots=True)
class _Number:
    """How a number is written.

    Attributes:
        decimals: Digits after the point; None for as many as there are.
        grouped: Whether thousands are set apart.
        factor: 100 for percent.
        before: Text in front, such as a currency.
        after: Text behind, such as a unit.
    """

    decimals: int | None
    grouped: bool
    factor: int
    before: str
    after: str


def show_number(value: float, code: str, *, from_1904: bool = False) -> str:
    """The number as text.

    Args:
        value: As saved.
        code: The cell's format code, such as "#,##0.00 [$€-407]".
        from_1904: Whether days are counted from 1904 in this workbook.
    """
    code = code.strip()
    if code.lower() in _PLAIN:
        return _plain(round(value) if code in {"0", "#"} else value)
    if _is_elapsed(code):
        return _duration(value)
    if is_date(code):
        return _moment(value, code, from_1904=from_1904)
    style = _style(_section(code, value))
    return _plain(value) if style is None else _written(value, style)


@cache
def is_date(code: str) -> bool:
    """Whether the format shows a day or a time."""
    bare = _QUOTED.sub("", _BRACKETS.sub("", code.partition(";")[0])).lower()
    return "e+" not in bare and any(letter in bare for letter in "ymdhs")


@cache
def _is_elapsed(code: str) -> bool:
    return bool(_ELAPSED.search(code))


def _section(code: str, value: float) -> str:
    """The part of the format for numbers of this sign."""
    parts = code.split(";")
    at = 1 if value < 0 and len(parts) > 1 else 2 if value == 0 and len(parts) > 2 else 0
    return ("-" if value < 0 and at == 0 else "") + parts[at]


@cache
def _style(code: str) -> _Number | None:
    """What a format's part says; None where it says nothing about digits."""
    texts: list[str] = []

    def keep(match: re.Match[str]) -> str:
        texts.append(match[1] or match[2] or match[3] or "")
        return _MARK

    bare = _QUOTED.sub(keep, _BRACKETS.sub("", code))
    digits = _DIGITS.search(bare)
    if digits is None or "e+" in bare.lower() or "/" in bare:
        return None
    parts = iter(texts)
    before = "".join(next(parts) if one == _MARK else one for one in bare[: digits.start()])
    after = "".join(next(parts) if one == _MARK else one for one in bare[digits.end() :])
    decimals = digits[1] or digits[2] or ""
    fixed = None if "#" in decimals or "?" in decimals else len(decimals)
    grouped = "," in digits[0].rstrip(",")
    return _Number(fixed, grouped, 100 if "%" in after + before else 1, before, after)


def _written(value: float, style: _Number) -> str:
    number = abs(value) * style.factor
    comma = "," if style.grouped else ""
    if style.decimals is None:
        text = f"{number:{comma}.10f}".rstrip("0").rstrip(".")
    else:
        text = f"{number:{comma}.{style.decimals}f}"
    return f"{style.before}{text}{style.after}".strip()


def _plain(value: float) -> str:
    return f"{value:.15g}" if abs(value) < 1e15 else f"{value:.0f}"


def _moment(value: float, code: str, *, from_1904: bool) -> str:
    """A day in ISO form, with the time where there is one; a time alone for less than a day."""
    bare = _QUOTED.sub("", code).lower()
    start = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001
    if not from_1904 and value < 60:  # 1900 is no leap year, but Excel counts its 29 February
        start += timedelta(days=1)
    try:
        moment = start + timedelta(seconds=round(value * 86_400))
    except OverflowError:
        return _plain(value)
    if not any(letter in bare for letter in "yd") and 0 <= value < 1:
        return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    if moment.time() == datetime.min.time():
        return moment.date().isoformat()
    return moment.isoformat(" ", "seconds" if moment.second else "minutes")


def _duration(value: float) -> str:
    seconds = round(value * 86_400)
    hours, rest = divmod(abs(seconds), 3_600)
    return f"{'-' if seconds < 0 else ''}{hours}:{rest // 60:02}:{rest % 60:02}"


def show_day(text: str) -> str:
    """An ISO moment as saved, without a midnight."""
    day, _, clock = text.partition("T")
    try:
        date.fromisoformat(day)
    except ValueError:
        return text
    clock = clock.removesuffix("Z")
    return day if not clock.strip("0:.") else f"{day} {clock}"
