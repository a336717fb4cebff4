"""An OpenID provider that changes, is wrong, broken or gone: what is kept of it and told of it."""

import gzip
import logging
import socket
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from time import sleep

import pytest
from joserfc import jwt
from openid_provider import CLIENTS, REDIRECT_URI, Answer, Provider
from openid_sign_ins import (
    DISCOVERY,
    HOUR,
    KEYS,
    TOKEN,
    USERINFO,
    come_back,
    finish,
    sign_in,
    token_for,
)
from pydantic import SecretStr

from alexandria.adapters.openid import OpenIdClient, requests
from alexandria.errors import ConfigurationError, SignInFailedError, StoreUnavailableError


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# What is kept, and for how long


def test_documents_are_kept_for_an_hour(openid_provider: Provider) -> None:
    clock = Clock()
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI, clock=clock)
    sign_in(client)
    clock.now += HOUR - 1
    sign_in(client)
    counts = [openid_provider.paths().count(path) for path in (DISCOVERY, KEYS)]
    assert counts == [1, 1]

    clock.now += 1
    sign_in(client)
    counts = [openid_provider.paths().count(path) for path in (DISCOVERY, KEYS)]
    assert counts == [2, 2]


def test_a_provider_that_changes_its_key(openid_provider: Provider) -> None:
    clock = Clock()
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI, clock=clock)
    sign_in(client)
    former = openid_provider.key()
    openid_provider.rotate_key()

    clock.now += 29
    with pytest.raises(SignInFailedError):  # asked a moment ago, so not again
        sign_in(client)
    assert openid_provider.paths().count(KEYS) == 1

    clock.now += 1
    assert sign_in(client).subject == "1"
    assert openid_provider.paths().count(KEYS) == 2

    header = {"alg": "RS256", "kid": former.thumbprint()}
    token_for(openid_provider, lambda claims: jwt.encode(header, claims, former))
    with pytest.raises(SignInFailedError):
        sign_in(client)
    assert openid_provider.paths().count(KEYS) == 2


def test_many_at_once_ask_once(openid_provider: Provider) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: client.begin(), range(16)))

    assert len({one.state for one in begun}) == 16
    assert openid_provider.paths() == [DISCOVERY]


# A provider that is wrong, broken or gone


def test_a_provider_under_another_name(openid_provider: Provider) -> None:
    openid_provider.changes[DISCOVERY] = lambda answer: answer.saying(
        issuer="https://login.example/{tenantid}/v2.0"
    )

    with pytest.raises(ConfigurationError, match="tenantid"):
        OpenIdClient(openid_provider.settings(), REDIRECT_URI).begin()


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint": "http://login.example/token"},
        {"token_endpoint": "https://user@login.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": "//login.example/userinfo"},
        {"token_endpoint": "https://login.example:port/"},
        {"token_endpoint": 7},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_endpoints_that_must_not_be_asked(
    openid_provider: Provider, changes: dict[str, object]
) -> None:
    openid_provider.changes[DISCOVERY] = lambda answer: answer.saying(**changes)

    with pytest.raises(ConfigurationError, match="ALEXANDRIA_OPENID_PROVIDERS"):
        OpenIdClient(openid_provider.settings(), REDIRECT_URI).begin()


def test_a_provider_elsewhere_must_not_lead_to_this_machine() -> None:
    assert requests.is_safe("http://127.0.0.1/token", may_be_plain=True)
    assert not requests.is_safe("http://127.0.0.1/token", may_be_plain=False)


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example",
        "http://localhost.login.example",
        "http://127.0.0.1@login.example",
        "https://login.example#here",
        "https://login.example?tenant=1",
        "ftp://127.0.0.1",
        "https://",
        "login.example",
    ],
)
def test_addresses_that_are_not_safe(address: str, openid_provider: Provider) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        OpenIdClient(openid_provider.settings(issuer=address), REDIRECT_URI)
    with pytest.raises(ConfigurationError, match="https"):
        OpenIdClient(openid_provider.settings(), address)


def test_a_wrong_client_secret(openid_provider: Provider) -> None:
    secret = "a-secret-that-has-expired"
    settings = openid_provider.settings(client_secret=SecretStr(secret))

    with pytest.raises(ConfigurationError, match="may have expired") as caught:
        sign_in(OpenIdClient(settings, REDIRECT_URI))
    assert secret not in str(caught.value)


BROKEN: dict[str, Callable[[Answer], Answer]] = {
    "failing": lambda answer: replace(answer, status=503),
    "too busy": lambda answer: replace(answer, status=429),
    "too large": lambda answer: replace(answer, body=answer.body + b" " * requests.MAX_BYTES),
    "compressed": lambda answer: replace(
        answer, headers=[("Content-Encoding", "gzip")], body=gzip.compress(answer.body)
    ),
}


@pytest.mark.parametrize("path", [DISCOVERY, KEYS, TOKEN, USERINFO])
@pytest.mark.parametrize("breakage", BROKEN)
def test_a_broken_answer(openid_provider: Provider, path: str, breakage: str) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    openid_provider.changes[path] = BROKEN[breakage]

    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1"):
        sign_in(client, "grace")


@pytest.mark.parametrize("path", [DISCOVERY, KEYS, TOKEN, USERINFO])
@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"[" * 10_000, b"\xff"], ids=["page", "list", "deep", "bytes"]
)
def test_an_answer_that_is_not_an_object(openid_provider: Provider, path: str, body: bytes) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    openid_provider.changes[path] = lambda answer: replace(answer, body=body)

    with pytest.raises((StoreUnavailableError, SignInFailedError)):
        sign_in(client, "grace")


@pytest.mark.parametrize("path", [DISCOVERY, KEYS, TOKEN, USERINFO])
def test_no_redirect_is_followed(openid_provider: Provider, path: str) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    openid_provider.changes[path] = lambda answer: replace(
        answer, status=307, headers=[("Location", f"{openid_provider.issuer}/elsewhere")]
    )

    with pytest.raises((ConfigurationError, SignInFailedError)):
        sign_in(client, "grace")
    assert "/elsewhere" not in openid_provider.paths()


def test_a_provider_that_is_gone_is_left_alone_for_a_moment(openid_provider: Provider) -> None:
    clock = Clock()
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI, clock=clock)
    openid_provider.changes[DISCOVERY] = BROKEN["failing"]
    for _ in range(3):
        with pytest.raises(StoreUnavailableError, match="try again"):
            client.begin()
    assert openid_provider.paths() == [DISCOVERY]

    openid_provider.changes.clear()
    clock.now += 5
    assert sign_in(client).subject == "1"


def test_nobody_listens(openid_provider: Provider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = openid_provider.settings(issuer=f"http://127.0.0.1:{port}")

    with pytest.raises(StoreUnavailableError, match=f"127.0.0.1:{port}"):
        OpenIdClient(settings, REDIRECT_URI).begin()


def test_a_provider_that_never_answers(
    openid_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = openid_provider.settings(issuer=f"http://127.0.0.1:{listener.getsockname()[1]}")

        with pytest.raises(StoreUnavailableError):
            OpenIdClient(settings, REDIRECT_URI).begin()


def drip(listener: socket.socket) -> None:
    """An answer that never waits long enough for a time-out and never ends in time."""
    connection, _ = listener.accept()
    with connection, suppress(ConnectionError):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            sleep(0.05)


def test_a_provider_that_takes_for_ever(
    openid_provider: Provider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(requests, "TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        dripping = Thread(target=drip, args=(listener,))
        dripping.start()
        client = OpenIdClient(openid_provider.settings(issuer=address), REDIRECT_URI)

        with pytest.raises(StoreUnavailableError):
            client.begin()
        dripping.join()
    assert "ReadTimeout" in caplog.text


# Secrets


@pytest.mark.parametrize("tampered", ["", DISCOVERY, KEYS, TOKEN, USERINFO])
def test_no_secret_in_logs_errors_and_reprs(
    openid_provider: Provider, caplog: pytest.LogCaptureFixture, tampered: str
) -> None:
    caplog.set_level(logging.DEBUG)
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    begun, shown = client.begin(), [repr(client)]
    shown.append(repr(begun))
    back = come_back(begun, "grace")
    secrets = [begun.state, begun.nonce, begun.code_verifier, back["code"]]
    secrets.append(str(CLIENTS["alexandria"]["secret"]))

    def noted(answer: Answer) -> Answer:
        tokens = answer.document()
        secrets.extend([tokens["id_token"], tokens["access_token"]])
        return BROKEN["compressed"](answer) if tampered == TOKEN else answer

    openid_provider.changes[tampered] = BROKEN["failing"]
    openid_provider.changes[TOKEN] = noted
    caplog.clear()  # of the browser's own
    try:
        shown.append(repr(finish(client, begun, back)))
        finish(client, begun, back)  # the code is spent
    except (SignInFailedError, StoreUnavailableError) as error:
        shown.extend(traceback.format_exception(error))
    shown.append(caplog.text)

    assert len(secrets) >= 7
    assert "was refused" in caplog.text or "did not answer" in caplog.text
    assert not [secret for secret in secrets if any(secret in text for text in shown)]
