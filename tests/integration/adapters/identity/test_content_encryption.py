"""AES-256-GCM over contents, and the blob store that keeps them under it."""

import io
import os
import pickle
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.adapters.blobs import BlobStore
from alexandria.adapters.identity.ciphers import MAGIC, ContentCipher, Keyring, new_key
from alexandria.errors import ConfigurationError, IntegrityError, NotFoundError

CONTENT = b"The keeper tended the light. " * 1000
HASH = sha256(CONTENT).hexdigest()
OTHER_HASH = sha256(b"other").hexdigest()


def cipher_of(*keys: str) -> ContentCipher:
    return Keyring(tuple(key.encode() for key in keys), ("a test",)).content_cipher()


OLD_KEY, NEW_KEY = new_key(), new_key()
OLD, NEW = cipher_of(OLD_KEY), cipher_of(NEW_KEY, OLD_KEY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def path_of(folder: Path, content_hash: str) -> Path:
    return folder / content_hash[:2] / content_hash


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@given(st.binary(max_size=5000))
def test_what_is_encrypted_decrypts(content: bytes) -> None:
    content_hash = sha256(content).hexdigest()
    stored = OLD.encrypt(content, content_hash)
    assert OLD.decrypt(bytes(stored), content_hash) == content
    assert NEW.decrypt(bytes(stored), content_hash) == content
    assert len(stored) == len(content) + 44
    assert OLD.encrypt(content, content_hash) != stored


def test_a_cipher_is_the_same_in_another_process() -> None:
    copy = pickle.loads(pickle.dumps(OLD))
    assert copy == OLD
    assert hash(copy) == hash(OLD)
    assert copy.decrypt(OLD.encrypt(CONTENT, HASH), HASH) == CONTENT


def test_no_byte_can_be_changed() -> None:
    stored = OLD.encrypt(b"a short text", HASH)
    for place in range(len(MAGIC), len(stored)):
        changed = bytearray(stored)
        changed[place] ^= 1
        with pytest.raises((IntegrityError, ConfigurationError)):
            OLD.decrypt(bytes(changed), HASH)
    for length in range(len(MAGIC), len(stored)):
        with pytest.raises((IntegrityError, ConfigurationError)):
            OLD.decrypt(bytes(stored[:length]), HASH)
    with pytest.raises(IntegrityError):
        OLD.decrypt(bytes(stored) + b"x", HASH)


def test_content_decrypts_under_its_own_name_only() -> None:
    stored = bytes(OLD.encrypt(CONTENT, HASH))
    with pytest.raises(IntegrityError, match=OTHER_HASH[:12]):
        OLD.decrypt(stored, OTHER_HASH)


def test_another_key_is_told_from_tampering() -> None:
    stored = bytes(NEW.encrypt(CONTENT, HASH))
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_SECRET_KEYS"):
        OLD.decrypt(stored, HASH)


def test_the_key_of_content_is_not_the_key_of_secrets() -> None:
    assert OLD_KEY.encode() not in OLD.keys
    assert all(len(key) == 32 for key in NEW.keys)


def test_a_store_with_a_cipher_keeps_no_plain_byte(folder: Path) -> None:
    blobs = BlobStore(str(folder), OLD)
    assert blobs.put(io.BytesIO(CONTENT)) == HASH
    assert blobs.read(HASH) == CONTENT
    assert blobs.hashes() == {HASH}
    assert [b"keeper" in path.read_bytes() for path in files(folder)] == [False]
    before = path_of(folder, HASH).read_bytes()
    blobs.put(io.BytesIO(CONTENT))
    assert path_of(folder, HASH).read_bytes() == before


def test_blobs_from_before_are_read_and_renewed(folder: Path) -> None:
    BlobStore(str(folder)).put(io.BytesIO(CONTENT))
    blobs = BlobStore(str(folder), OLD)
    assert blobs.read(HASH) == CONTENT
    assert blobs.put(io.BytesIO(CONTENT)) == HASH
    assert blobs.renew(HASH)
    assert not blobs.renew(HASH)
    assert b"keeper" not in path_of(folder, HASH).read_bytes()
    newer = BlobStore(str(folder), NEW)
    assert newer.renew(HASH)
    only_new = BlobStore(str(folder), cipher_of(NEW_KEY))
    assert only_new.read(HASH) == CONTENT
    assert not only_new.renew(HASH)
    assert files(folder) == {path_of(folder, HASH)}


def test_a_store_without_the_key_says_what_is_missing(folder: Path) -> None:
    BlobStore(str(folder), NEW).put(io.BytesIO(CONTENT))
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_ENCRYPT_BLOBS"):
        BlobStore(str(folder)).read(HASH)
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_SECRET_KEYS"):
        BlobStore(str(folder), OLD).read(HASH)
    for blobs in (BlobStore(str(folder)), BlobStore(str(folder), OLD)):
        with pytest.raises(NotFoundError):
            blobs.read(OTHER_HASH)
    with pytest.raises(NotFoundError):
        BlobStore(str(folder), OLD).renew(OTHER_HASH)


def test_blobs_that_change_places_do_not_decrypt(folder: Path) -> None:
    blobs = BlobStore(str(folder), OLD)
    other = blobs.put(io.BytesIO(b"other"))
    blobs.put(io.BytesIO(CONTENT))
    shutil.copy(path_of(folder, HASH), path_of(folder, other))
    with pytest.raises(IntegrityError):
        blobs.read(other)
    assert blobs.read(HASH) == CONTENT


@pytest.mark.parametrize(
    "content",
    [
        MAGIC,
        MAGIC + b"a file that begins as encrypted ones do",
        bytes(OLD.encrypt(CONTENT, HASH)),
        bytes(NEW.encrypt(CONTENT, HASH)),
    ],
    ids=["the magic", "text after it", "encrypted with a known key", "with an unknown key"],
)
def test_a_file_that_looks_encrypted_is_kept_as_it_is(folder: Path, content: bytes) -> None:
    plain, encrypted = BlobStore(str(folder)), BlobStore(str(folder), OLD)
    content_hash = plain.put(io.BytesIO(content))
    assert plain.read(content_hash) == encrypted.read(content_hash) == content
    plain.delete(content_hash)
    encrypted.put(io.BytesIO(content))
    assert encrypted.read(content_hash) == content


class BreakingStream(io.RawIOBase):
    """A file whose disk fails after the first block."""

    def __init__(self) -> None:
        self._blocks = [b"x" * 100]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        if not self._blocks:
            raise OSError(5, "Input/output error")
        block = self._blocks.pop()
        buffer[: len(block)] = block
        return len(block)


@pytest.mark.parametrize("cipher", [None, OLD], ids=["plain", "encrypted"])
def test_a_source_that_breaks_off_leaves_no_draft(
    folder: Path, cipher: ContentCipher | None
) -> None:
    blobs = BlobStore(str(folder), cipher)
    with pytest.raises(OSError, match="Input/output") as caught:
        blobs.put(io.BufferedReader(BreakingStream()))
    assert caught.value.errno == 5
    assert files(folder) == set()
    assert blobs.hashes() == set()


FILLING = """
import io, pathlib, sys
from alexandria.adapters.blobs import BlobStore
from alexandria.adapters.identity.ciphers import Keyring
from alexandria.errors import StorageFullError

folder = pathlib.Path(sys.argv[1])
key = sys.argv[2]
cipher = Keyring((key.encode(),), ("a test",)).content_cipher() if key else None
blobs = BlobStore(str(folder / "blobs"), cipher)
kept = blobs.put(io.BytesIO(b"small"))
try:
    blobs.put(io.BytesIO(bytes(range(256)) * 8192))
except StorageFullError as error:
    print("refused", error.code)
drafts = [path for path in (folder / "blobs" / "drafts").iterdir()]
print("drafts", len(drafts), "blobs", len(blobs.hashes()), "kept", blobs.read(kept) == b"small")
again = blobs.put(io.BytesIO(b"y" * 100_000))
print("again", len(blobs.read(again)))
"""


@pytest.mark.parametrize("key", ["", OLD_KEY], ids=["plain", "encrypted"])
def test_a_full_disk_is_said_so_and_costs_nothing_else(tmp_path: Path, key: str) -> None:
    """On a file system of one MB, in a namespace of its own."""
    script = tmp_path / "filling.py"
    script.write_text(FILLING)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=1m none {disk}"
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*namespace, mount], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system mounts nothing for this user")
    command = f"{mount} && exec {sys.executable} {script} {disk} '{key}'"
    done = subprocess.run(
        [*namespace, command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[4])},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == [
        "refused storage_full",
        "drafts 0 blobs 1 kept True",
        "again 100000",
    ]
    assert "Exception ignored" not in done.stderr
