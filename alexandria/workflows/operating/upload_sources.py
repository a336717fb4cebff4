"""The sources that uploads arrive in: one for each tenant's folder, and none above them.

Earlier versions knew the whole upload folder as one source. It is taken out here: its files
move into the folder of the settings' tenant, whose source brings their documents back.
"""

import filecmp
import os
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from alexandria.errors import AlexandriaError, InvalidInputError
from alexandria.identity.principals import read_id
from alexandria.sources.folder.access import ACCESS_FILE
from alexandria.sources.folder.listing import PASSED_OVER
from alexandria.workflows.operating.sources import (
    Source,
    add_source,
    free_name,
    list_all_sources,
    slugify,
    tell_of_source,
    upload_source_name,
)
from alexandria.workflows.workspace import Workspace

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class UploadSources:
    """What there is to watch.

    Attributes:
        live: The source of each tenant that something was uploaded to.
        former: Names of sources that are taken out and whose documents still stand; a run of
            each takes them down.
        problems: What kept a tenant's folder from being a source.
    """

    live: list[Source] = field(default_factory=list[Source])
    former: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])

    @contextmanager
    def telling(self, folder: Path) -> Generator[None]:
        """Write down what goes wrong with a folder, and go on."""
        try:
            yield
        except (AlexandriaError, OSError) as error:
            self.problems.append(f"Uploads in {folder.name!a} are not read: {error}")


def settle_upload_sources(workspace: Workspace) -> UploadSources:
    """Make every tenant's upload folder a source; the folder above them ceases to be one.

    A folder that cannot be a source is told of and stops no other.
    """
    found, root = UploadSources(), workspace.settings.uploads
    if not root.is_dir():
        return found
    location = str(root.resolve())
    for source in list_all_sources(workspace):
        if source.kind == "upload" and source.location == location:
            with found.telling(root):
                _take_out(workspace, source)
    found.former.extend(workspace.database.column("former_upload_sources", location=location))
    for folder in sorted(root.iterdir()):
        if not folder.is_dir() or folder.name.startswith(PASSED_OVER):
            continue
        try:
            found.live.append(_source_of(workspace, folder))
        except (AlexandriaError, OSError) as error:
            found.problems.append(f"{folder.name!a} among the uploads: {error}")
    return found


def _source_of(workspace: Workspace, folder: Path) -> Source:
    """The source of a tenant's folder, added if it is new.

    Raises:
        InvalidInputError: The folder is not named as a tenant can be.
    """
    tenant = folder.name
    name, location = slugify(upload_source_name(workspace, tenant)), str(folder.resolve())
    if not _TENANT.fullmatch(tenant):
        raise InvalidInputError("It is no tenant's name: lower-case letters, digits, hyphens.")
    known = {source.name: source for source in list_all_sources(workspace)}
    holder = known.get(name)
    if holder and (holder.kind, holder.location) == ("upload", location):
        return holder
    if holder and holder.kind != "upload":
        _rename(workspace, holder, free_name(Path(holder.location), known))
    return add_source(workspace, folder, name=name, kind="upload", tenant_id=tenant)


def _take_out(workspace: Workspace, former: Source) -> None:
    """Remove a source that is the whole upload folder; what was deleted from it stays deleted.

    It gives up its name first, which is that of the source its files move to. One that is
    interrupted goes on with the next call.
    """
    home = workspace.settings.uploads / former.tenant_id
    home.mkdir(exist_ok=True)
    _move_in(workspace.settings.uploads, home)
    database = workspace.database
    known = {source.name: source for source in list_all_sources(workspace)}
    with database.transaction():
        _rename(workspace, former, free_name(Path("former-uploads"), known))
        source = _source_of(workspace, home)
        ids = {"source_id": source.source_id, "former_id": former.source_id}
        database.execute("carry_exclusions", **ids)
        if database.execute("mark_source_removed", source_id=former.source_id):
            tell_of_source(workspace, former, "source.removed")


def _move_in(root: Path, home: Path) -> None:
    """Files in the root, and pictures in folders named by their document, go to a tenant."""
    for item in sorted(root.iterdir()):
        if item.is_file():
            if item.name == ACCESS_FILE or not item.name.startswith(PASSED_OVER):
                _move(item, home)
        elif item != home and read_id(item.name) == item.name:
            shown = home / item.name
            shown.mkdir(exist_ok=True)
            for picture in sorted(one for one in item.iterdir() if one.is_file()):
                _move(picture, shown)
            with suppress(OSError):
                item.rmdir()


def _move(file: Path, folder: Path) -> None:
    """Move a file, which takes another name where its own is taken by other bytes.

    A hard link never replaces a file that is there.
    """
    names = [file.name, *(f"{file.stem}-{number}{file.suffix}" for number in range(2, 10_000))]
    for name in names:
        target = folder / name
        try:
            os.link(file, target)
        except FileExistsError:
            if not (target.is_file() and filecmp.cmp(file, target, shallow=False)):
                continue
        file.unlink()
        return
    raise FileExistsError(f"{file.name} finds no free name in {folder}.")


def _rename(workspace: Workspace, source: Source, name: str) -> None:
    with workspace.database.transaction():
        workspace.database.execute("rename_source", source_id=source.source_id, name=name)
        tell_of_source(workspace, source, "source.changed", ["name"])
