"""Calendar files and the invitations in messages (iCalendar), read with icalendar."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from alexandria.errors import CorruptFileError
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import (
    Draft,
    Piece,
    Source,
    heading,
    one_line,
    paragraph,
    split_chapters,
)

if TYPE_CHECKING:
    from icalendar import Component

_KINDS = {"VEVENT": "Event", "VTODO": "Task", "VJOURNAL": "Entry"}
_TIMES = (("DTSTART", "Start"), ("DTEND", "End"), ("DUE", "Due"))
_TEXTS = (("LOCATION", "Location"), ("STATUS", "Status"))
_PEOPLE = (("ORGANIZER", "Organizer"), ("ATTENDEE", "Attendees"))


def read_calendar(source: Source) -> Draft:
    """A calendar: each event with its times, place and people."""
    return Draft(split_chapters(event_pieces(source.content)))


def event_pieces(content: bytes) -> list[Piece]:
    """Events, tasks and entries in the order of the file.

    Raises:
        CorruptFileError: It does not follow the format, or holds none of them.
    """
    from icalendar import Calendar

    try:
        calendars = Calendar.from_ical(decode_text(content), multiple=True)
    except (ValueError, KeyError, IndexError) as error:
        raise CorruptFileError(f"The calendar does not follow its format: {error}") from error
    found = [one for calendar in calendars for one in calendar.walk() if one.name in _KINDS]
    if not found:
        raise CorruptFileError("The calendar holds no event, task or entry.")
    return [piece for one in found for piece in _pieces(one)]


def _pieces(component: "Component") -> Iterator[Piece]:
    kind = _KINDS[component.name or ""]
    yield heading(f"{kind}: {one_line(str(component.get('SUMMARY') or 'untitled'))}", 2)
    lines = [*_times(component), *_details(component)]
    if lines:
        yield paragraph("\n".join(lines))
    for text in str(component.get("DESCRIPTION") or "").split("\n\n"):
        if text.strip():
            yield paragraph(text)


def _times(component: "Component") -> Iterator[str]:
    for name, label in _TIMES:
        value = getattr(component.get(name), "dt", None)
        if isinstance(value, date):
            yield f"{label}: {_time(value)}"
    rule = component.get("RRULE")
    if rule is not None and hasattr(rule, "to_ical"):
        yield f"Repeats: {rule.to_ical().decode('utf-8', 'replace')}"


def _time(value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    zone = value.tzname() or ""
    return f"{value:%Y-%m-%d %H:%M} {zone}".strip()


def _details(component: "Component") -> Iterator[str]:
    for name, label in _TEXTS:
        if component.get(name):
            yield f"{label}: {one_line(str(component[name]))}"
    for name, label in _PEOPLE:
        found: Any = component.get(name) or []
        people = [_person(one) for one in (found if isinstance(found, list) else [found])]
        if people:
            yield f"{label}: {', '.join(people)}"


def _person(value: Any) -> str:
    address = str(value).removeprefix("mailto:").removeprefix("MAILTO:")
    name = str(getattr(value, "params", {}).get("CN") or "")
    return one_line(f"{name} <{address}>" if name and name != address else address)
