"""Keys change while everything stays readable, whenever the change is interrupted."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from alexandria.adapters.blobs import BlobStore
from alexandria.adapters.identity.ciphers import Keyring, new_key, open_keyring
from alexandria.errors import ConfigurationError
from alexandria.settings import Settings
from alexandria.workflows.identity.accounts import NewUser, add_user
from alexandria.workflows.identity.owner import KEY_NAME, renew_owner_key
from alexandria.workflows.identity.rotation import rotate_keys
from alexandria.workflows.identity.settings import keep_setting
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace, open_workspace

Cli = Callable[..., Result]
SECRET = "the connector's password"
PARTS = (
    ("add_key", "after"),
    ("rekey_settings", "after"),
    ("_renew_files", "before"),
    ("_renew_files", "after"),
    ("_require_newest", "after"),
    ("drop_old_keys", "after"),
)
"""The steps of a rotation, and on which side of each the process is killed."""

KILLED = """
import os, signal, sys
from alexandria.workflows.identity import rotation
step, side = sys.argv.pop(1), sys.argv.pop(1)
real = getattr(rotation, step)
def deadly(*given):
    done = real(*given) if side == "after" else None
    os.kill(os.getpid(), signal.SIGKILL)
    return done
setattr(rotation, step, deadly)
from pipelines.cli.main import app
app()
"""


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _decrypted(workspace: Workspace, key: str) -> str:
    """A stored setting in plain, by the keys there are now."""
    [value] = [
        one["value"] for one in workspace.database.records("list_settings") if one["key"] == key
    ]
    return open_keyring(workspace.settings).decrypt(value)


class Kept:
    """What a library holds that keys protect."""

    def __init__(self, workspace: Workspace) -> None:
        self._user = add_user(workspace, NewUser("ines@example.org")).user_id
        keep_setting(workspace, "connector", SECRET, is_sensitive=True)
        self.token = SigningKeys(workspace).issue({"sub": self._user})
        self.keyring = open_keyring(workspace.settings)

    def check(self, workspace: Workspace) -> None:
        """All of it is as good as before; a process that starts now finds it so."""
        assert _decrypted(workspace, "connector") == SECRET
        signing = SigningKeys(workspace)
        assert signing.read(self.token)["sub"] == self._user
        assert signing.read(signing.issue({"sub": "another"}))["sub"] == "another"

    def check_old_key_is_gone(self, workspace: Workspace) -> None:
        """The keyring has one key, another one, and nothing that is stored needs the old one."""
        (key,) = open_keyring(workspace.settings).keys
        assert key not in self.keyring.keys
        for path in workspace.settings.keys_folder.iterdir():
            assert self.keyring.keys[0] not in path.read_bytes()
        stored = workspace.database.records("sensitive_settings")
        stored_keys = workspace.database.records("list_signing_keys")
        for secret in [*(one["value"] for one in stored),
                       *(one["private_key"] for one in stored_keys)]:  # fmt: skip
            with pytest.raises(ConfigurationError):
                self.keyring.decrypt(secret)


@pytest.fixture
def kept(workspace: Workspace) -> Kept:
    return Kept(workspace)


def test_rotating_changes_both_keys_and_signs_nobody_out(
    cli: Cli, workspace: Workspace, kept: Kept
) -> None:
    before = _json(cli("keys", "show", "--json"))
    done = _json(cli("keys", "rotate", "--json"))
    after = _json(cli("keys", "show", "--json"))
    assert (done["signing_keys"], done["settings"], done["dropped"], done["left"]) == (2, 1, 1, 0)
    assert before["key_count"] == after["key_count"] == 1
    ids = [[key["key_id"] for key in one["signing_keys"]] for one in (before, after)]
    assert ids[1] == [done["signing_key_id"], *ids[0]]
    assert [bool(key["retired_at"]) for key in after["signing_keys"]] == [False, True]
    kept.check(workspace)
    kept.check_old_key_is_gone(workspace)


def test_no_command_shows_a_key(cli: Cli, workspace: Workspace, kept: Kept) -> None:
    shown = [cli("keys", *words) for words in (["show"], ["rotate"], ["show", "--json"])]
    shown.append(cli("keys", "retire"))
    keys = [*kept.keyring.keys, *open_keyring(workspace.settings).keys]
    assert all(result.exit_code == 0 for result in shown)
    for result in shown:
        assert not [key for key in keys if key.decode() in result.output]
        assert '"d"' not in result.output


def test_a_process_that_runs_reads_on_after_a_rotation(workspace: Workspace, kept: Kept) -> None:
    running = SigningKeys(workspace)
    assert running.read(kept.token)
    rotate_keys(workspace)
    keep_setting(workspace, "another", SECRET, is_sensitive=True)
    assert _decrypted(workspace, "another") == SECRET
    later = SigningKeys(workspace)
    assert running.read(kept.token)
    assert later.read(running.issue({"sub": "x"}))["sub"] == "x"


@pytest.mark.parametrize(("step", "side"), PARTS, ids=["-".join(part) for part in PARTS])
def test_a_rotation_that_is_killed_loses_nothing_and_runs_again(
    cli: Cli, workspace: Workspace, kept: Kept, step: str, side: str
) -> None:
    os.environ["ALEXANDRIA_HOME"] = str(workspace.settings.home)  # undone with the environment
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, step, side, "keys", "rotate"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    kept.check(workspace)
    assert _json(cli("keys", "rotate", "--json"))["left"] == 0
    kept.check(workspace)
    kept.check_old_key_is_gone(workspace)


def _encrypting(workspace: Workspace) -> tuple[Settings, str]:
    """Settings that keep original files encrypted, and the hash of one that is."""
    settings = workspace.settings.model_copy(update={"encrypt_blobs": True})
    blobs = BlobStore(settings.blobs, open_keyring(settings).content_cipher())
    return settings, blobs.put(BytesIO(b"an original file"))


def _read(settings: Settings, content_hash: str) -> bytes:
    cipher = open_keyring(settings).content_cipher()
    return BlobStore(settings.blobs, cipher).read(content_hash)


def test_encrypted_files_move_to_the_new_key_and_the_old_one_goes_when_it_is_told_to(
    cli: Cli, workspace: Workspace, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, content_hash = _encrypting(workspace)
    monkeypatch.setenv("ALEXANDRIA_ENCRYPT_BLOBS", "true")
    done = _json(cli("keys", "rotate", "--json"))
    assert (done["original_files"], done["dropped"], done["left"]) == (1, 0, 1)
    assert "keys retire" in done["advice"]
    old = kept.keyring.content_cipher()
    late = BlobStore(settings.blobs, old).put(BytesIO(b"from a process that ran on"))
    done = _json(cli("keys", "retire", "--json"))
    assert (done["original_files"], done["dropped"], done["left"]) == (1, 1, 0)
    assert _read(settings, content_hash) == b"an original file"
    assert _read(settings, late) == b"from a process that ran on"
    with pytest.raises(ConfigurationError):
        BlobStore(settings.blobs, old).read(content_hash)
    kept.check_old_key_is_gone(workspace)


def test_files_that_were_encrypted_once_are_not_lost_where_new_ones_are_plain(
    cli: Cli, workspace: Workspace, kept: Kept
) -> None:
    settings, content_hash = _encrypting(workspace)
    plain = BlobStore(settings.blobs).put(BytesIO(b"a plain file"))
    done = _json(cli("keys", "rotate", "--json"))
    assert (done["original_files"], done["left"]) == (1, 0)
    assert _read(settings, content_hash) == b"an original file"
    stored = [path for path in Path(settings.blobs).rglob(plain) if path.is_file()]
    assert [path.read_bytes() for path in stored] == [b"a plain file"]


def test_keys_of_the_settings_are_used_and_never_changed(
    cli: Cli, workspace: Workspace, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = new_key(), new_key()
    monkeypatch.setenv("ALEXANDRIA_SECRET_KEYS", json.dumps([first]))
    moved = _json(cli("keys", "rotate", "--json"))
    assert (moved["dropped"], moved["left"]) == (1, 0)  # the file of the home goes
    assert "put another one before it" in moved["advice"]
    monkeypatch.setenv("ALEXANDRIA_SECRET_KEYS", json.dumps([second, first]))
    done = _json(cli("keys", "rotate", "--json"))
    assert done["left"] == 1
    assert "take them out of ALEXANDRIA_SECRET_KEYS" in done["advice"]
    newest = Keyring((second.encode(),), ("a test",))
    for one in workspace.database.records("sensitive_settings"):
        assert newest.decrypt(one["value"]) == SECRET
    monkeypatch.setenv("ALEXANDRIA_SECRET_KEYS", json.dumps([second]))
    with open_workspace(Settings()) as later:
        kept.check(later)


def test_the_owner_has_one_key_at_a_time(workspace: Workspace) -> None:
    first, second = renew_owner_key(workspace), renew_owner_key(workspace)
    assert first
    assert second
    assert first != second
    (user,) = workspace.database.records("list_users", limit=10, offset=0)
    assert (user["role"], user["last_login_at"]) == ("admin", None)
    (key,) = workspace.database.records("list_api_keys", user_id=user["user_id"])
    assert (key["name"], key["hint"]) == (KEY_NAME, second[-4:])
    assert 29 <= (key["expires_at"] - key["created_at"]).days <= 30


def test_an_owner_who_was_switched_off_gets_no_key(cli: Cli, workspace: Workspace) -> None:
    renew_owner_key(workspace)
    (user,) = workspace.database.records("list_users", limit=10, offset=0)
    add_user(workspace, NewUser("ines@example.org"))
    assert cli("users", "change", "ines@example.org", "--role", "admin").exit_code == 0
    assert cli("users", "change", user["email"], "--inactive").exit_code == 0
    assert renew_owner_key(workspace) is None
