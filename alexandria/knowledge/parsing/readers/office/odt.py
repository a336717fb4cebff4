"""ODT through pandoc's HTML and the page reader: it keeps more structure than its DOCX.

pandoc gets a container of our own making with the parts it reads, so it sees no entry that was
not measured. In it no space or cell claims to be there a million times, and no list lies in more
than eight others: pandoc takes twice as long for each.
"""

import io
import zipfile
from dataclasses import replace

from alexandria.knowledge.parsing.archives import (
    Element,
    open_archive,
    parse_xml,
    read_entry,
    read_properties,
)
from alexandria.knowledge.parsing.drafts import Draft, Source
from alexandria.knowledge.parsing.pictures.office import add_office_pictures
from alexandria.knowledge.parsing.readers.markup.converted import read_converted
from alexandria.knowledge.parsing.readers.markup.elements import tag_of
from alexandria.knowledge.parsing.readers.markup.pandoc import convert_to_html
from alexandria.knowledge.parsing.readers.other_office.opendocument import refuse_locked

_PARTS = ("mimetype", "META-INF/manifest.xml", "content.xml", "styles.xml", "meta.xml")
_MOST_REPEATED = 99
_DEEPEST_LIST = 8
_TOO_DEEP = "too-deep"


def read_odt(source: Source) -> Draft:
    """An OpenDocument text, converted to HTML by pandoc without access to other files.

    Raises:
        PasswordProtectedError: It is encrypted.
        CorruptFileError: pandoc does not understand it.
    """
    with open_archive(source.content) as archive:
        refuse_locked(archive)
        properties = read_properties(archive, "meta.xml")
        plain = _repacked(archive)
    html = convert_to_html(plain, "odt")
    return add_office_pictures(replace(read_converted(html), **properties), source.content)


def _repacked(archive: zipfile.ZipFile) -> bytes:
    """The container with the parts that hold text, tamed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as plain:
        for name in _PARTS:
            if name in archive.namelist():
                part = read_entry(archive, name)
                plain.writestr(name, _tamed(part) if name == "content.xml" else part)
    return buffer.getvalue()


def _tamed(content: bytes) -> bytes:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

    root = parse_xml(content)
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if tag_of(element) not in {"list", "list-item", "list-header"}:
            _cap_repetitions(element)
        elif event == "end":
            is_list = tag_of(element) == "list"
            if depth > _DEEPEST_LIST:
                element.tag = _TOO_DEEP
            depth -= is_list
        else:
            depth += tag_of(element) == "list"
    etree.strip_tags(root, _TOO_DEEP)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _cap_repetitions(element: Element) -> None:
    for name, value in element.attrib.items():
        is_count = name.endswith(("}c", "-repeated")) and value.isdecimal()
        if is_count and int(value[:9]) > _MOST_REPEATED:
            element.set(name, str(_MOST_REPEATED))
