"""Who may read a document, from the rules beside it to what both indexes find for a reader."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest

from alexandria.errors import InvalidInputError, NotFoundError
from alexandria.identity.permissions import Role
from alexandria.identity.principals import Origin, nobody
from alexandria.knowledge.indexing import SearchFilter, VectorIndex
from alexandria.sources.folder.access import AccessRules
from alexandria.workflows.identity.accounts import NewUser, UserChange, add_user, change_user
from alexandria.workflows.identity.acting import operating, reading
from alexandria.workflows.identity.identifying import identify
from alexandria.workflows.identity.sessions import open_session
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.reading.documents import list_documents, read_document
from alexandria.workflows.reading.searching import search
from alexandria.workflows.reports import StageReport
from alexandria.workflows.stages.ingestion import sync_source_files
from alexandria.workflows.workspace import Workspace, served

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]
AsSomebody = Callable[..., Workspace]

RULES = """
[[rules]]
files = ["board/**", "*.key.txt"]
readers = ["group:board"]

[[rules]]
files = ["board/open.txt"]
readers = ["everyone"]

[[rules]]
files = ["letters/**"]
readers = ["user:Ann@Example.org"]
"""


def letter() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "b@b.org", "ann@example.org", "Rye"
    message.set_content("The rye is in the attached list.\n")
    message.add_attachment(b"Rye stands in the barn.\n", "text", "plain", filename="list.txt")
    return message.as_bytes()


@pytest.fixture
def shelf(tmp_path: Path, write: Write) -> Path:
    """A shelf with rules, and one file for each."""
    folder = tmp_path / "shelf"
    for path in ("lamp.txt", "board/plan.txt", "board/open.txt", "cellar.key.txt"):
        write(folder / path, f"The lamp of {path} burns oil.\n")
    write(folder / "letters/rye.eml", letter())
    write(folder / ".access.toml", RULES)
    return folder


@pytest.fixture
def as_somebody(workspace: Workspace) -> Iterator[AsSomebody]:
    """The library as somebody sees it; asking again for the same address is as signing in again."""
    with served(workspace) as serving:
        door, known = serving.keeping_the_door(), dict[str, str]()
        keys = SigningKeys(door)

        def enter(email: str, *groups: str, role: Role = Role.USER) -> Workspace:
            if email not in known:
                user = add_user(door, NewUser(email, role=role, groups=groups))
                known[email] = open_session(door, keys, user.user_id, "test").access_token
            return serving.acting_for(identify(door, keys, known[email]), Origin())

        yield enter


def seen(acting: Workspace) -> set[str]:
    """Paths of what somebody finds: in the list, by search, and in Postgres's index alone."""
    listed = {one.path for one in list_documents(acting)}
    found = {one.path for one in search(acting, "lamp oil rye", acting.everything, limit=50)}
    assert found == listed
    return listed


def test_the_last_rule_that_fits_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / ".access.toml").write_text(RULES, encoding="utf-8")
    rules = AccessRules.read(tmp_path)
    assert rules.readers_of("board/plan.txt") == ["group:board"]
    assert rules.readers_of("board/open.txt") == ["everyone"]
    assert rules.readers_of("deep/down/x.key.txt") == ["group:board"]
    assert rules.readers_of("letters/rye.eml") == ["user:ann@example.org"]
    assert rules.readers_of("lamp.txt") is None
    assert AccessRules.read(tmp_path / "nowhere").readers_of("lamp.txt") is None


@pytest.mark.parametrize(
    "written",
    [
        "not toml at all [",
        "[[rules]]\nfiles = ['a']\n",
        "[[rules]]\nfiles = ['a']\nreaders = []\n",
        "[[rules]]\nfiles = ['a']\nreaders = ['ann']\n",
        "[[rules]]\nfiles = 'a'\nreaders = ['everyone']\n",
        "[[rules]]\nfiles = ['a']\nreaders = 'everyone'\n",
        "[[rule]]\nfiles = ['a']\nreaders = ['everyone']\n",
        "rules = [1]\n",
        "rules = 'x'\n",
        "\xff",
    ],
)
def test_rules_that_cannot_be_understood_stop_their_source(
    workspace: Workspace, shelf: Path, sync: Sync, as_somebody: AsSomebody, written: str
) -> None:
    (shelf / ".access.toml").write_bytes(written.encode("latin-1"))
    with pytest.raises(InvalidInputError, match=r"\.access\.toml"):
        sync_source_files(workspace, add_source(workspace, shelf))


def test_a_source_stays_as_it_was_while_its_rules_are_broken(
    workspace: Workspace, shelf: Path, sync: Sync, write: Write, as_somebody: AsSomebody
) -> None:
    source = add_source(workspace, shelf)
    sync(workspace, source)
    before = seen(as_somebody("bo@example.org"))
    write(shelf / ".access.toml", "rules = 1")
    write(shelf / "new.txt", "A new lamp.\n")
    with pytest.raises(InvalidInputError):
        sync(workspace, source)
    assert seen(as_somebody("bo@example.org")) == before == {"lamp.txt", "board/open.txt"}


def test_everybody_finds_what_the_rules_let_them_read(
    workspace: Workspace, shelf: Path, sync: Sync, as_somebody: AsSomebody
) -> None:
    sync(workspace, add_source(workspace, shelf))
    common = {"lamp.txt", "board/open.txt"}
    boardroom = {"board/plan.txt", "cellar.key.txt"}
    letters = {"letters/rye.eml", "letters/rye.eml/list.txt"}
    assert seen(as_somebody("bo@example.org")) == common
    assert seen(as_somebody("chair@example.org", "board")) == common | boardroom
    assert seen(as_somebody("ANN@example.ORG")) == common | letters
    assert seen(as_somebody("root@example.org", role=Role.ADMIN)) == common
    with served(workspace) as serving:
        assert seen(serving.acting_for(nobody("default"), Origin())) == set()


def test_readers_of_a_source_hold_where_no_rule_does(
    workspace: Workspace, shelf: Path, sync: Sync, as_somebody: AsSomebody
) -> None:
    sync(workspace, add_source(workspace, shelf, readers=["role:viewer"]))
    assert seen(as_somebody("bo@example.org")) == {"board/open.txt"}
    viewer = as_somebody("vi@example.org", role=Role.VIEWER)
    assert seen(viewer) == {"board/open.txt", "lamp.txt"}


def test_other_readers_reach_both_indexes_within_one_run_without_reading_again(
    workspace: Workspace, shelf: Path, sync: Sync, write: Write, as_somebody: AsSomebody
) -> None:
    source = add_source(workspace, shelf)
    sync(workspace, source)
    assert "lamp.txt" in seen(as_somebody("bo@example.org"))
    write(shelf / ".access.toml", '[[rules]]\nfiles = ["*"]\nreaders = ["group:board"]\n')
    reports = sync(workspace, source)
    assert reports["parsed_documents"].row_count == 0
    assert reports["chunk_embeddings"].row_count == 0
    stranger, chair = as_somebody("bo@example.org"), as_somebody("chair@example.org", "board")
    assert seen(stranger) == set()
    assert len(seen(chair)) == 6
    for index in _indexes(workspace):
        assert _found(index, workspace, stranger) == set()
        assert len(_found(index, workspace, chair)) == 6
    write(shelf / ".access.toml", "")
    sync(workspace, source)
    stranger = as_somebody("bo@example.org")
    assert len(seen(stranger)) == 6
    for index in _indexes(workspace):
        assert len(_found(index, workspace, stranger)) == 6


def _indexes(workspace: Workspace) -> Iterator[VectorIndex]:
    """The entries in Postgres as their owner reads them, and the points in Qdrant."""
    live = live_generation(workspace)
    assert live is not None
    yield workspace.postgres_index(live)
    with workspace.qdrant_index(live) as index:
        yield index


def _found(index: VectorIndex, workspace: Workspace, acting: Workspace) -> set[str]:
    [vector] = workspace.embedder.embed(["lamp oil rye"])
    return {hit.chunk_id for hit in index.search_dense(vector, acting.everything, 50)}


def test_narrowing_holds_at_once_for_what_is_read_by_id(
    workspace: Workspace, shelf: Path, sync: Sync, write: Write, as_somebody: AsSomebody
) -> None:
    source = add_source(workspace, shelf)
    sync(workspace, source)
    stranger = as_somebody("bo@example.org")
    [lamp] = [one for one in list_documents(stranger) if one.path == "lamp.txt"]
    write(shelf / ".access.toml", '[[rules]]\nfiles = ["*"]\nreaders = ["group:board"]\n')
    sync(workspace, source, until="parsed_documents")
    with pytest.raises(NotFoundError):
        read_document(stranger, lamp.document_id)
    assert search(stranger, "lamp oil", stranger.everything) == []


def test_uploads_are_for_oneself_or_for_the_readers_of_what_they_are_shown_with(
    workspace: Workspace, shelf: Path, sync: Sync, write: Write, as_somebody: AsSomebody
) -> None:
    source = add_source(workspace, shelf)
    sync(workspace, source)
    ann, bo = as_somebody("ann@example.org"), as_somebody("bo@example.org")
    assert ann.principal is not None
    by_path = {one.path: one.document_id for one in list_documents(workspace)}
    own = f"private/{ann.principal.user_id}/diary.txt"
    secret, shared = f"{by_path['board/plan.txt']}/plan.txt", f"{by_path['lamp.txt']}/lamp.txt"
    for path in (own, secret, shared, "hello.txt"):
        write(workspace.uploads / path, f"The lamp in {path}.\n")
    uploads = add_source(workspace, workspace.uploads, name="uploads", kind="upload")
    sync(workspace, uploads)
    ann, bo = as_somebody("ann@example.org"), as_somebody("bo@example.org")
    assert {own, shared, "hello.txt"} <= seen(ann)
    assert seen(bo) == {"lamp.txt", "board/open.txt", shared, "hello.txt"}
    chair = as_somebody("chair@example.org", "board")
    assert secret in seen(chair)
    write(shelf / ".access.toml", RULES + '\n[[rules]]\nfiles = ["*.txt"]\nreaders = ["group:a"]')
    sync(workspace, source)
    bo = as_somebody("bo@example.org")
    assert seen(bo) == {"hello.txt"}, "a picture follows the document it was uploaded to"


def test_a_new_file_never_stands_without_its_readers(
    workspace: Workspace, shelf: Path, sync: Sync, write: Write
) -> None:
    """A trigger looks at each file as it is written; what is set later comes too late."""
    sync(workspace, add_source(workspace, shelf))
    by_path = {one.path: one.document_id for one in list_documents(workspace)}
    shown = f"{by_path['board/plan.txt']}/plan.txt"
    for path in ("private/ann/diary.txt", shown, "hello.txt"):
        write(workspace.uploads / path, "A lamp.\n")
    uploads = add_source(workspace, workspace.uploads, name="uploads", kind="upload")
    with psycopg.connect(workspace.database.address, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE public.written AS SELECT path, readers FROM knowledge.source_files "
            "WITH NO DATA"
        )
        connection.execute(
            "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO public.written VALUES (new.path, new.readers); RETURN new; END $$"
        )
        connection.execute(
            "CREATE TRIGGER note AFTER INSERT ON knowledge.source_files "
            "FOR EACH ROW EXECUTE FUNCTION public.note()"
        )
        sync_source_files(workspace, uploads)
        written = dict(connection.execute("SELECT path, readers FROM public.written").fetchall())
    assert written == {
        "private/ann/diary.txt": ["user:ann"],
        shown: ["group:board"],
        "hello.txt": None,
    }


def test_groups_that_change_let_in_and_shut_out_with_the_next_sign_in(
    workspace: Workspace, shelf: Path, sync: Sync, as_somebody: AsSomebody
) -> None:
    sync(workspace, add_source(workspace, shelf))
    bo = as_somebody("bo@example.org")
    assert bo.principal is not None
    root = as_somebody("root@example.org", role=Role.ADMIN)
    for groups, is_let_in in ((["board"], True), ([], False)):
        change_user(root, bo.principal.user_id, UserChange(groups=groups))
        assert ("board/plan.txt" in seen(as_somebody("bo@example.org"))) is is_let_in


def test_what_a_session_is_told_is_what_its_principal_is(as_somebody: AsSomebody) -> None:
    principal = as_somebody("bo@example.org", "board").principal
    assert principal is not None
    acting = reading(principal)
    assert acting.facts["role"] == "alexandria_reader"
    assert set(acting.facts["alexandria.names"].split("\n")) == {
        "everyone",
        "group:board",
        "role:user",
        "user:bo@example.org",
        f"user:{principal.user_id}",
    }
    assert acting.parameters["access_ids"] == list(principal.access_ids)
    assert operating("default").facts == {}
    assert operating("default").parameters["access_ids"] is None


def test_a_filter_of_ones_own_lets_nobody_further_in(
    workspace: Workspace, shelf: Path, sync: Sync, as_somebody: AsSomebody
) -> None:
    """Row-level security holds where the application asks for everything."""
    sync(workspace, add_source(workspace, shelf))
    bo = as_somebody("bo@example.org")
    open_to_all = SearchFilter(tenant_id="default", access_ids=None)
    paths = {one.path for one in search(bo, "lamp oil rye", open_to_all, limit=50)}
    assert paths == {"lamp.txt", "board/open.txt"}
    operator = replace(bo, database=workspace.database, principal=None)
    assert len(search(operator, "lamp oil rye", open_to_all, limit=50)) > 2


def test_the_name_of_a_group_makes_nobody_somebody_else(
    workspace: Workspace, shelf: Path, sync: Sync, as_somebody: AsSomebody
) -> None:
    sync(workspace, add_source(workspace, shelf))
    sly = as_somebody("sly@example.org", "x\nuser:ann@example.org\ngroup:board")
    open_to_all = SearchFilter(tenant_id="default", access_ids=None)
    paths = {one.path for one in search(sly, "lamp oil rye", open_to_all, limit=50)}
    assert paths == seen(sly) == {"lamp.txt", "board/open.txt"}
