"""The watch over the logs of all tests finds what it is there for, and nothing else."""

import logging
from pathlib import Path

import pytest
from secret_watch import TESTS, SecretWatch

from alexandria.adapters.identity.ciphers import new_key
from alexandria.adapters.identity.password_hashing import hash_password
from alexandria.adapters.identity.tokens import issue_token, new_secret, new_signing_key


@pytest.fixture
def watch(tmp_path: Path) -> SecretWatch:
    return SecretWatch(tmp_path / "records")


def log(watch: SecretWatch, text: str, path: str = "/somewhere/module.py") -> None:
    watch.handle(logging.LogRecord("one", logging.INFO, path, 1, text, None, None))


def a_token() -> str:
    claims = {"sub": "somebody"}
    return issue_token(new_signing_key(), claims, issuer="us", audience="you", seconds=60)


SECRETS = {
    "access token": a_token,
    "refresh token": lambda: new_secret("alxr_"),
    "API key": lambda: new_secret("alx_"),
    "Fernet key": new_key,
    "private key": lambda: new_signing_key().private_jwk,
    "hash": lambda: hash_password("lantern harbour seventeen moss"),
    "header": lambda: "authorization: Bearer abcdefghijklmnopqrstuvwxyz",
    "form": lambda: "grant_type=password&username=ada&password=moss-and-lanterns",
    "repr": lambda: "{'password': 'moss-and-lanterns'}",
    "address": lambda: "postgresql://ada:moss@localhost/library",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_secret_is_found_wherever_it_is_logged(
    watch: SecretWatch, tmp_path: Path, kind: str
) -> None:
    secret = SECRETS[kind]()
    log(watch, f"it says {secret} there")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text(f"a line\nit says {secret}\n")
    found = watch.find([tmp_path])
    (tmp_path / "logs" / "api.log").unlink()  # the watch over this session looks here as well
    assert len(found) == 2
    assert not [line for line in found if secret in line]
    assert "api.log:2" in found[1]


def test_logs_that_go_before_the_end_can_be_handed_over(watch: SecretWatch, tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text(f"it says {new_secret('alx_')}\n")
    watch.take(tmp_path)
    (tmp_path / "api.log").unlink()
    assert len(watch.find([])) == 1


def test_what_a_test_handed_out_is_found_though_it_was_logged_before(watch: SecretWatch) -> None:
    log(watch, "moss and lanterns")
    assert watch.find([]) == []
    watch.know("moss and lanterns")
    assert len(watch.find([])) == 1


def test_what_is_beside_the_message_counts(watch: SecretWatch) -> None:
    record = logging.makeLogRecord({"msg": "signed in", "brought": new_secret("alx_")})
    watch.handle(record)
    trace = (ValueError, ValueError(new_secret("alx_")), None)
    watch.handle(logging.makeLogRecord({"msg": "broken", "exc_info": trace}))
    assert len(watch.find([])) == 2


@pytest.mark.parametrize(
    "text",
    [
        "Request 3f2b8c1e9d7a4f60b5c2d1e0f9a8b7c6 failed.",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "password=[redacted] and Bearer [redacted]",
        "The password has fewer than 12 characters; take a few unrelated words.",
        "POST /auth/me/password 200",
        "GET http://127.0.0.1:8000/api/v2/documents",
        "postgresql:///alexandria?host=/tmp/home/postgres&user=postgres",
    ],
)
def test_ordinary_lines_are_none(watch: SecretWatch, text: str) -> None:
    log(watch, text)
    assert watch.find([]) == []


def test_it_goes_on_when_somebody_sets_up_logging(watch: SecretWatch) -> None:
    logging.shutdown([lambda: watch])
    log(watch, new_secret("alx_"))
    assert len(watch.find([])) == 1


def test_what_a_test_logs_is_its_own(watch: SecretWatch) -> None:
    log(watch, new_secret("alx_"), path=str(TESTS / "unit" / "test_logs.py"))
    assert watch.find([]) == []
