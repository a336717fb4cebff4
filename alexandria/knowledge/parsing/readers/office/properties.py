"""What office files say about themselves, without the titles that programs make up."""

import zipfile

from alexandria.knowledge.parsing.archives import Properties, read_properties

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


def core_properties(archive: zipfile.ZipFile) -> Properties:
    """Title, author and language; titles that programs fill in by themselves do not count."""
    found = read_properties(archive, _CORE)
    if found.get("title", "").lower() in _NO_TITLES:
        del found["title"]
    return found
