"""Keys on disk and in settings: made once, changed without loss, shown to nobody."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf import scrypt
from pydantic import SecretStr

from alexandria.adapters.identity.ciphers import (
    Keyring,
    add_key,
    drop_old_keys,
    new_key,
    open_keyring,
)
from alexandria.errors import ConfigurationError
from alexandria.settings import Settings

TEXT = "the password of a mail server: ü 🦉"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def with_keys(settings: Settings, *keys: str) -> Settings:
    return settings.model_copy(update={"secret_keys": tuple(SecretStr(key) for key in keys)})


def with_passphrase(settings: Settings, passphrase: str) -> Settings:
    return settings.model_copy(update={"secret_passphrase": SecretStr(passphrase)})


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_first_use_makes_a_file_that_only_its_owner_reads(settings: Settings) -> None:
    token = open_keyring(settings).encrypt(TEXT)
    assert TEXT not in token
    assert open_keyring(settings).decrypt(token) == TEXT
    assert mode(settings.keys_folder) == 0o700
    assert {mode(path) for path in settings.keys_folder.iterdir()} == {0o600}


def test_processes_that_start_at_once_agree(settings: Settings) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from alexandria.adapters.identity.ciphers import open_keyring;"
        "from alexandria.settings import Settings;"
        "sys.stdin.read();"
        "print(open_keyring(Settings(home=Path(sys.argv[1]))).encrypt('x'))"
    )
    command = [sys.executable, "-c", program, str(settings.home)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    for process in running:
        assert process.stdin
        process.stdin.close()
    tokens: list[str] = []
    for process in running:
        assert process.stdout
        tokens.append(process.stdout.read().strip())
        process.stdout.close()
        assert process.wait() == 0
    ring = open_keyring(settings)
    assert [ring.decrypt(token) for token in tokens] == ["x"] * 6
    assert len(ring.keys) == 1


def test_a_new_key_encrypts_and_the_old_ones_still_read(settings: Settings) -> None:
    old = open_keyring(settings)
    token = old.encrypt(TEXT)
    ring = add_key(settings)
    assert ring.keys == open_keyring(settings).keys
    assert ring.keys[1:] == old.keys
    renewed = ring.rotate(token)
    assert ring.decrypt(token) == ring.decrypt(renewed) == TEXT
    with pytest.raises(ConfigurationError):
        old.decrypt(renewed)

    dropped = drop_old_keys(settings)
    assert dropped.keys == ring.keys[:1]
    assert dropped.decrypt(renewed) == TEXT
    with pytest.raises(ConfigurationError, match="keys"):
        dropped.decrypt(token)
    assert {path.name for path in settings.keys_folder.iterdir()} <= {"secrets.keys", ".lock"}
    assert mode(settings.keys_folder / "secrets.keys") == 0o600


def test_a_change_that_fails_leaves_the_keys(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_keyring(settings)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        add_key(settings)
    monkeypatch.undo()
    assert open_keyring(settings) == before
    assert {path.name for path in settings.keys_folder.iterdir()} <= {"secrets.keys", ".lock"}


def test_keys_of_the_settings_leave_no_file(settings: Settings) -> None:
    ring = open_keyring(with_keys(settings, new_key()))
    assert ring.decrypt(ring.encrypt(TEXT)) == TEXT
    assert drop_old_keys(with_keys(settings, ring.keys[0].decode())) == ring
    assert not settings.keys_folder.exists()


def test_keys_of_the_settings_change_one_after_the_other(settings: Settings) -> None:
    first, second = new_key(), new_key()
    token = open_keyring(with_keys(settings, first)).encrypt(TEXT)
    both = open_keyring(with_keys(settings, second, first))
    renewed = both.rotate(token)
    assert open_keyring(with_keys(settings, second)).decrypt(renewed) == TEXT
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_SECRET_KEYS"):
        open_keyring(with_keys(settings, second)).decrypt(token)
    for change in (add_key, drop_old_keys):
        with pytest.raises(ConfigurationError, match="ALEXANDRIA_SECRET_KEYS"):
            change(with_keys(settings, second, first))


def test_keys_move_from_the_file_into_the_settings(settings: Settings) -> None:
    token = open_keyring(settings).encrypt(TEXT)
    named = with_keys(settings, new_key())
    ring = open_keyring(named)
    renewed = ring.rotate(token)
    alone = drop_old_keys(named)
    assert alone.keys == ring.keys[:1]
    assert alone.decrypt(renewed) == TEXT
    assert not (settings.keys_folder / "secrets.keys").exists()


def test_a_passphrase_gives_the_same_key_as_long_as_its_salt_is_kept(settings: Settings) -> None:
    named = with_passphrase(settings, "lenses turned by hand")
    token = open_keyring(named).encrypt(TEXT)
    assert open_keyring(named).decrypt(token) == TEXT
    assert [path.name for path in settings.keys_folder.iterdir() if path.name != ".lock"] == [
        "salt"
    ]
    assert mode(settings.keys_folder / "salt") == 0o600
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_SECRET_PASSPHRASE"):
        open_keyring(with_passphrase(settings, "another phrase")).decrypt(token)
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_SECRET_PASSPHRASE"):
        add_key(named)

    (settings.keys_folder / "salt").unlink()
    with pytest.raises(ConfigurationError):
        open_keyring(named).decrypt(token)


def test_a_passphrase_is_replaced_by_a_key(settings: Settings) -> None:
    named = with_passphrase(settings, "lenses turned by hand")
    token = open_keyring(named).encrypt(TEXT)
    key = new_key()
    renewed = open_keyring(with_keys(named, key)).rotate(token)
    assert open_keyring(with_keys(settings, key)).decrypt(renewed) == TEXT


@pytest.mark.parametrize(
    "wrong",
    ["", "short", "x" * 44, "é" * 44, new_key()[:-2]],
    ids=["empty", "short", "no padding", "no ASCII", "cut"],
)
def test_a_key_of_another_form_is_refused_without_showing_it(
    settings: Settings, wrong: str
) -> None:
    with pytest.raises(ConfigurationError, match="Key 2 of ALEXANDRIA_SECRET_KEYS") as caught:
        open_keyring(with_keys(settings, new_key(), wrong))
    assert not wrong or wrong not in caught.value.message


@pytest.mark.parametrize("damaged", ["", "\n", "not a key\n"])
def test_a_damaged_file_is_never_replaced(settings: Settings, damaged: str) -> None:
    open_keyring(settings)
    path = settings.keys_folder / "secrets.keys"
    path.write_text(damaged)
    for use in (open_keyring, drop_old_keys):
        with pytest.raises(ConfigurationError, match=r"secrets\.keys"):
            use(settings)
    assert path.read_text() == damaged


def test_a_file_that_others_can_read_is_refused(settings: Settings) -> None:
    open_keyring(settings)
    (settings.keys_folder / "secrets.keys").chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        open_keyring(settings)


def test_an_empty_passphrase_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="PASSPHRASE is empty"):
        open_keyring(with_passphrase(settings, ""))


@pytest.mark.parametrize("token", ["", "x", "é", "gAAAAA", "\ud800"])
def test_what_is_no_token_is_said_so(settings: Settings, token: str) -> None:
    ring = open_keyring(settings)
    for use in (ring.decrypt, ring.rotate):
        with pytest.raises(ConfigurationError):
            use(token)


def test_a_changed_token_does_not_decrypt(settings: Settings) -> None:
    ring = open_keyring(settings)
    token = ring.encrypt(TEXT)
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    with pytest.raises(ConfigurationError):
        ring.decrypt(changed)


def test_nothing_that_is_shown_holds_a_key(settings: Settings) -> None:
    ring = open_keyring(settings)
    shown = repr(ring) + repr(ring.content_cipher()) + str(ring)
    secrets_of_it = [*ring.keys, *ring.content_cipher().keys]
    assert not any(repr(key)[2:-1] in shown for key in secrets_of_it)
    assert isinstance(ring, Keyring)


def test_a_passphrase_is_stretched_once_however_many_ask(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stretched: list[bytes] = []

    def counted(*, salt: bytes, length: int, n: int, r: int, p: int) -> scrypt.Scrypt:
        stretched.append(salt)
        return whole(salt=salt, length=length, n=n, r=r, p=p)

    whole = scrypt.Scrypt
    monkeypatch.setattr(scrypt, "Scrypt", counted)
    named = with_passphrase(settings, "seven quiet boats at anchor")
    with ThreadPoolExecutor(4) as pool:
        rings = [one.result() for one in [pool.submit(open_keyring, named) for _ in range(8)]]
    assert len(stretched) == 1
    assert {ring.keys for ring in rings} == {rings[0].keys}
    other = open_keyring(with_passphrase(settings, "another phrase"))
    assert other.keys != rings[0].keys
    assert len(stretched) == 2


def test_a_key_that_another_process_put_in_is_seen_at_once(settings: Settings) -> None:
    old = open_keyring(settings)
    program = (
        "import sys; from pathlib import Path;"
        "from alexandria.adapters.identity.ciphers import add_key;"
        "from alexandria.settings import Settings;"
        "add_key(Settings(home=Path(sys.argv[1])))"
    )
    subprocess.run([sys.executable, "-c", program, str(settings.home)], check=True)
    ring = open_keyring(settings)
    assert ring.keys[1:] == old.keys
    (settings.keys_folder / "secrets.keys").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        open_keyring(settings)


def test_a_file_that_did_not_change_is_not_read_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = open_keyring(settings)
    path = settings.keys_folder / "secrets.keys"
    opened: list[Path] = []
    whole = Path.open

    def watched(file: Path, *arguments: Any, **named: Any) -> Any:
        opened.append(file)
        return whole(file, *arguments, **named)

    open_keyring(settings)
    monkeypatch.setattr(Path, "open", watched)
    assert open_keyring(settings) == ring
    assert path not in opened
    path.write_bytes(new_key().encode())
    assert open_keyring(settings) != ring
    assert path in opened
