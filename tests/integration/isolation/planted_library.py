"""Two tenants with the same kinds of documents, each with words that only some may know.

Every document has its own secret in its text, its name, its title and what lies in it. A
secret is a random word, known to a set of people; whatever else anybody is told, no answer to
others may hold it.
"""

import base64
import io
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import psycopg
from PIL import Image

from alexandria.adapters.postgres import Database
from alexandria.identity.permissions import Permission, Role
from alexandria.identity.principals import Origin, Principal
from alexandria.workflows.identity.accounts import NewUser, add_user, change_own_name
from alexandria.workflows.identity.acting import operating
from alexandria.workflows.identity.api_keys import add_api_key, list_api_keys
from alexandria.workflows.identity.identifying import identify
from alexandria.workflows.identity.sessions import list_sessions, open_session
from alexandria.workflows.identity.settings import keep_setting
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.operating.generations import fed_generations
from alexandria.workflows.operating.sources import Source, add_source, upload_source_name
from alexandria.workflows.reading.answering import answer
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.reading.images import StoredImage, document_images, read_image
from alexandria.workflows.stages.chunking import chunk_documents
from alexandria.workflows.stages.embedding import embed_chunks, stage_postgres, stage_qdrant
from alexandria.workflows.stages.images import describe_images
from alexandria.workflows.stages.ingestion import register_versions, sync_source_files
from alexandria.workflows.stages.parsing import parse_documents
from alexandria.workflows.stages.publishing import publish_versions
from alexandria.workflows.workspace import Workspace, served

TENANTS = ("ours", "theirs")
ROLES = (Role.VIEWER, Role.USER, Role.ADMIN)
QUESTION = "What is the password of the lamp room?"
_SYLLABLES = [a + b for a in "bdfgklmnprtvz" for b in "aeiou"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A word, what it stands for, and who may know it."""

    word: str
    what: str
    known_to: frozenset[str]


@dataclass(frozen=True, slots=True)
class Thing:
    """An id or a name that a request may give, and who may know what it leads to."""

    value: str
    kind: str
    tenant_id: str
    known_to: frozenset[str]
    owner: str
    has_secret: bool = False
    of_document: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account; `name` is tenant and role."""

    name: str
    tenant_id: str
    role: Role
    email: str
    token: str
    principal: Principal


@dataclass
class World:
    """The library and all that is known of it."""

    workspace: Workspace
    tenants: Mapping[str, Workspace]
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    secrets: list[Secret] = field(default_factory=list[Secret])
    things: list[Thing] = field(default_factory=list[Thing])
    sources: dict[str, Source] = field(default_factory=dict[str, Source])
    pictures: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    _chance: random.Random = field(default_factory=lambda: random.Random(20_261_121))

    def secret(self, what: str, known_to: Iterable[str]) -> str:
        """A new word for something that only these may know."""
        word = "".join(self._chance.choice(_SYLLABLES) for _ in range(6))
        self.secrets.append(Secret(word, what, frozenset(known_to)))
        return word

    def everybody(self, tenant_id: str) -> list[str]:
        """Names of a tenant's people."""
        return [f"{tenant_id}-{role}" for role in ROLES]

    def unknown_to(self, name: str) -> list[Secret]:
        """What somebody must never be told."""
        return [one for one in self.secrets if name not in one.known_to]


def plant_library(
    workspace: Workspace,
    folder: Path,
    write: Callable[[Path, str | bytes], Path],
) -> World:
    """Make the tenants' people and documents, and publish the documents."""
    tenants = {
        name: replace(
            workspace,
            settings=workspace.settings.model_copy(update={"tenant_id": name}),
            database=_of_tenant(workspace, name),
        )
        for name in TENANTS
    }
    world = World(workspace, tenants)
    for tenant_id in TENANTS:
        _add_people(world, tenant_id)
        _add_sources(world, tenant_id, folder / tenant_id, write)
    for source in world.sources.values():
        publish(tenants[source.tenant_id], source)
    for tenant_id in TENANTS:
        _edit_minutes(world, tenant_id, folder / tenant_id, write)
        publish(tenants[tenant_id], world.sources[f"shelf-{tenant_id}"])
        _introduce(world, tenant_id)
        _list_things(world, tenant_id)
    return world


def publish(workspace: Workspace, source: Source) -> None:
    """Every stage of the graph; its checks have tests of their own and take most of its time."""
    sync_source_files(workspace, source)
    register_versions(workspace, source)
    parse_documents(workspace, source)
    describe_images(workspace, source)
    for generation in fed_generations(workspace):
        for stage in (chunk_documents, embed_chunks, stage_postgres, stage_qdrant):
            stage(workspace, source, generation)
        publish_versions(workspace, source, generation)


def _of_tenant(workspace: Workspace, tenant_id: str) -> Database:
    return workspace.database.session(operating(tenant_id))


def _add_people(world: World, tenant_id: str) -> None:
    with served(world.tenants[tenant_id]) as serving:
        for role in ROLES:
            name = f"{tenant_id}-{role}"
            admins = {name, f"{tenant_id}-admin"}
            agent = world.secret("user agent", admins)
            door = serving.keeping_the_door(Origin("192.0.2.1", agent, "planted"))
            word = world.secret("full name", admins)
            new = NewUser(
                email=f"{role}.{world.secret('email', admins)}@{tenant_id}.org",
                role=role,
                groups=("keepers",) if role is Role.USER else (),
            )
            user = add_user(door, new)
            keys = SigningKeys(door)
            tokens = open_session(door, keys, user.user_id, "test")
            principal = identify(door, keys, tokens.access_token)
            change_own_name(door, principal, f"Somebody {word}")
            acting = serving.acting_for(principal, Origin("192.0.2.1", agent, "planted"))
            add_api_key(acting, f"key {world.secret('API key', [name])}", [Permission.QUERY])
            for kind, ids in (
                ("session", [one.session_id for one in list_sessions(acting)]),
                ("api_key", [one.api_key_id for one in list_api_keys(acting)]),
            ):
                world.things += [
                    Thing(one, kind, tenant_id, frozenset({name}), name) for one in ids
                ]
            world.things.append(Thing(user.user_id, "user", tenant_id, frozenset(admins), name))
            if role is Role.ADMIN:
                value = world.secret("setting", [name])
                keep_setting(acting, "greeting", f"Hello {value}", is_sensitive=False)
                keep_setting(
                    acting, "credential", world.secret("credential", []), is_sensitive=True
                )
            world.people[name] = Person(
                name, tenant_id, role, user.email, tokens.access_token, principal
            )


def _add_sources(
    world: World, tenant_id: str, folder: Path, write: Callable[[Path, str | bytes], Path]
) -> None:
    """A shelf for everybody with a corner for the keepers, a closet of one's own, uploads."""
    workspace, everybody = world.tenants[tenant_id], world.everybody(tenant_id)
    keepers = [f"{tenant_id}-{Role.USER}"]
    shelf, closet = folder / "shelf", folder / "closet"
    write(shelf / _named(world, "note.md", everybody), _note(world, everybody))
    write(shelf / "keepers" / _named(world, "minutes.md", keepers), _note(world, keepers))
    write(
        shelf / ".access.toml", '[[rules]]\nfiles = ["keepers/**"]\nreaders = ["group:keepers"]\n'
    )
    write(closet / _named(world, "letter.eml", keepers), _letter(world, keepers))
    write(closet / _named(world, "plan.png", keepers), _picture(world, keepers))
    user = world.people[keepers[0]]
    tag = world.secret("tag", everybody)
    world.sources[f"shelf-{tenant_id}"] = add_source(
        workspace, shelf, name=f"shelf-{tenant_id}", tags=[tag]
    )
    world.sources[f"closet-{tenant_id}"] = add_source(
        workspace,
        closet,
        name=f"closet-{world.secret('source', keepers)}",
        tags=[world.secret("tag", keepers)],
        readers=[f"user:{user.email}"],
    )
    for name in everybody:
        own = workspace.uploads / "private" / world.people[name].principal.user_id
        write(own / _named(world, "diary.html", [name]), _page(world, [name]))
    world.sources[f"uploads-{tenant_id}"] = add_source(
        workspace,
        workspace.uploads,
        name=upload_source_name(world.workspace, tenant_id),
        kind="upload",
    )


def _edit_minutes(
    world: World, tenant_id: str, folder: Path, write: Callable[[Path, str | bytes], Path]
) -> None:
    """The keepers' minutes get a second version; the first one's words stay theirs."""
    [file] = (folder / "shelf" / "keepers").iterdir()
    write(file, _note(world, [f"{tenant_id}-{Role.USER}"]))


def _named(world: World, name: str, known_to: Iterable[str]) -> str:
    return f"{world.secret('file name', known_to)}-{name}"


def _note(world: World, known_to: Iterable[str]) -> str:
    title, text = world.secret("title", known_to), world.secret("text", known_to)
    return f"# Book of {title}\n\nThe password of the lamp room is {text}.\n"


def _letter(world: World, known_to: Iterable[str]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = f"{world.secret('author', known_to)}@example.org", "b@b.org"
    message["Subject"] = f"About {world.secret('title', known_to)}"
    message.set_content(f"The password of the lamp room is {world.secret('text', known_to)}.\n")
    message.add_attachment(
        f"The password of the lamp room is {world.secret('text', known_to)}.\n".encode(),
        "text",
        "plain",
        filename=_named(world, "list.txt", known_to),
    )
    return message.as_bytes()


def _picture(world: World, known_to: Iterable[str]) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    words, buffer = PngInfo(), io.BytesIO()
    words.add_text("Comment", world.secret("picture", known_to))
    colour = tuple(world.secrets[-1].word.encode()[:3])
    Image.new("RGB", (64, 48), colour).save(buffer, "PNG", pnginfo=words)
    return buffer.getvalue()


def _page(world: World, known_to: Iterable[str]) -> str:
    picture = base64.b64encode(_picture(world, known_to)).decode()
    return (
        f"<!doctype html><title>{world.secret('title', known_to)}</title><h1>Diary</h1>"
        f"<p>The password of the lamp room is {world.secret('text', known_to)}.</p>"
        f"<img alt='{world.secret('description', known_to)}' "
        f"src='data:image/png;base64,{picture}'>"
    )


def _introduce(world: World, tenant_id: str) -> None:
    """Ask again who everybody is: documents have made access lists that let them in."""
    with served(world.tenants[tenant_id]) as serving:
        door = serving.keeping_the_door()
        keys = SigningKeys(door)
        for name in world.everybody(tenant_id):
            person = world.people[name]
            world.people[name] = replace(person, principal=identify(door, keys, person.token))


def _list_things(world: World, tenant_id: str) -> None:
    """Every id of the tenant that a request may name, and who may know what it leads to."""
    readers: dict[tuple[str, str, bool], set[str]] = {}
    with served(world.tenants[tenant_id]) as serving:
        for name in world.everybody(tenant_id):
            acting = serving.acting_for(world.people[name].principal, Origin())
            for named in _names_seen(acting):
                readers.setdefault(named, set()).add(name)
            for image in _images(acting):
                for part in (image.content_hash, image.thumbnail_hash):
                    digest = sha256(acting.blobs.read(part)).hexdigest()
                    world.pictures.setdefault(digest, set()).add(name)
    for (kind, value, has_secret), names in readers.items():
        one = Thing(value, kind, tenant_id, frozenset(names), min(names), has_secret)
        world.things.append(one)
    _list_versions(world, tenant_id)


def _list_versions(world: World, tenant_id: str) -> None:
    documents = {one.value: one for one in world.things if one.kind == "document"}
    with psycopg.connect(world.workspace.database.address) as connection:
        rows = connection.execute(
            "SELECT version_id::text, document_id::text FROM knowledge.document_versions"
        ).fetchall()
    for version_id, document_id in rows:
        document = documents.get(document_id)
        if document and document.tenant_id == tenant_id:
            version = replace(document, value=version_id, kind="version", of_document=document_id)
            world.things.append(version)


def _images(acting: Workspace) -> Iterable[StoredImage]:
    for item in list_documents(acting):
        for image in document_images(acting, item.document_id):
            yield read_image(acting, image.image_id)


def _names_seen(acting: Workspace) -> Iterable[tuple[str, str, bool]]:
    for item in list_documents(acting):
        yield "document", item.document_id, False
        yield "source", item.source_id, False
        yield "source_name", item.source_name, item.source_name.startswith("closet")
        yield "path", item.path, True
        yield "title", item.title, True
        yield from (("tag", tag, True) for tag in item.tags)
        for image in document_images(acting, item.document_id):
            yield "image", image.image_id, False
    answered = answer(acting, QUESTION, acting.everything, limit=20)
    for citation in answered.citations:
        yield "chunk", citation.chunk_id, False
