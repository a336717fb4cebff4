"""A real OpenID provider on loopback, a browser for it, and somebody in between.

The provider is `openid_provider_site`, a process of its own. Everything goes through a
middleman that passes on what it gets, so that a test can change one answer of a provider
that would never misbehave by itself.
"""

import json
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any, cast
from urllib.parse import parse_qsl, urljoin, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import lxml.html
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from alexandria.settings import OpenIdProvider

SITE = Path(__file__).with_name("openid_provider_site.py")
REDIRECT_URI = "http://127.0.0.1:8000/api/v2/auth/callback"
"""As it is registered; on loopback any other port is as good (RFC 8252, 7.3)."""
PASSWORD = "a lantern over quiet harbours"
PEOPLE: dict[str, dict[str, object]] = {
    "ada": {
        "password": PASSWORD,
        "claims": {
            "name": "Ada Lovelace",
            "email": "ada@engines.example",
            "email_verified": True,
            "groups": ["analysts", "everyone"],
        },
    },
    "grace": {
        "password": PASSWORD,
        "claims": {"name": "Grace Hopper"},
        "userinfo_only": {"email": "grace@navy.example", "email_verified": True},
    },
    "mallory": {
        "password": PASSWORD,
        "claims": {"name": "Mallory", "email": "ada@engines.example", "email_verified": False},
    },
}
CLIENTS = {
    "alexandria": {"secret": "our-secret-with-enough-letters", "redirect_uris": [REDIRECT_URI]},
    "another": {"secret": "the-secret-of-somebody-else", "redirect_uris": [REDIRECT_URI]},
}


@dataclass(frozen=True)
class Passed:
    """What went by: a request to the provider."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the provider answered, or what somebody made of it."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        return json.loads(self.body)

    def saying(self, **changes: object) -> "Answer":
        """With some fields of the JSON changed; None takes one away."""
        document = {**self.document(), **changes}
        kept = {name: value for name, value in document.items() if value is not None}
        return replace(self, body=json.dumps(kept).encode())


Change = Callable[[Answer], Answer]


@dataclass
class Provider:
    """The provider, the middleman before it, and what passed."""

    folder: Path
    issuer: str = ""
    passed: list[Passed] = field(default_factory=list[Passed])
    changes: dict[str, Change] = field(default_factory=dict[str, Change])
    """What to make of the answers, by path."""
    _process: "subprocess.Popen[str] | None" = None
    _port: int = 0

    def settings(self, client_id: str = "alexandria", **changes: object) -> OpenIdProvider:
        """How a client of it is set up."""
        secret = SecretStr(str(CLIENTS[client_id]["secret"]))
        chosen = OpenIdProvider(issuer=self.issuer, client_id=client_id, client_secret=secret)
        return chosen.model_copy(update=changes)

    def paths(self) -> list[str]:
        """Of the requests that passed."""
        return [request.path for request in self.passed]

    def key(self) -> RSAKey:
        """The key that it signs with."""
        return RSAKey.import_key(max(self.folder.glob("*.pem")).read_text())

    def sign(self, claims: Mapping[str, object]) -> str:
        """An ID token as the provider itself would sign it."""
        key = self.key()
        return jwt.encode({"alg": "RS256", "kid": key.thumbprint()}, dict(claims), key)

    def rotate_key(self) -> None:
        """Sign with another key from now on and forget the one before."""
        older = list(self.folder.glob("*.pem"))
        self._add_key(len(older) + int(older[0].stem))
        for path in older:
            path.unlink()
        self.stop()
        self.start()

    def start(self) -> None:
        """Start the process and wait until it serves."""
        if not list(self.folder.glob("*.pem")):
            self._add_key(1000)
            (self.folder / "people.json").write_text(json.dumps(PEOPLE))
            (self.folder / "clients.json").write_text(json.dumps(CLIENTS))
        command = [sys.executable, str(SITE), str(self.folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self._port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """End the process."""
        if self._process:
            self._process.communicate("")
            self._process = None

    def _add_key(self, number: int) -> None:
        pem = RSAKey.generate_key(2048).as_pem(private=True)
        (self.folder / f"{number}.pem").write_bytes(pem)

    def pass_on(self, request: Passed, query: str) -> Answer:
        """Ask the provider, which takes the middleman's address for its own."""
        self.passed.append(request)
        with _http() as http:
            response = http.request(
                request.method,
                f"http://127.0.0.1:{self._port}{request.path}?{query}",
                headers=dict(request.headers),
                content=request.body,
            )
        kept = {"content-type", "location", "set-cookie"}
        headers = [item for item in response.headers.multi_items() if item[0] in kept]
        answer = Answer(response.status_code, headers, response.content)
        return self.changes.get(request.path, lambda same: same)(answer)

    def application(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """The middleman, as WSGI."""
        names = {
            "HTTP_HOST": "Host",
            "HTTP_COOKIE": "Cookie",
            "HTTP_AUTHORIZATION": "Authorization",
            "HTTP_REFERER": "Referer",
            "CONTENT_TYPE": "Content-Type",
        }
        headers = {name: environ[key] for key, name in names.items() if environ.get(key)}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = Passed(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body)
        answer = self.pass_on(request, environ.get("QUERY_STRING", ""))
        start_response(f"{answer.status} Answer", list(answer.headers))
        return [answer.body]


def _http() -> httpx.Client:
    """On loopback there is no TLS, whose certificates take long to load."""
    return httpx.Client(verify=False, trust_env=False, timeout=60)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def running_provider(folder: Path) -> Generator[Provider]:
    """The provider with its middleman."""
    provider = Provider(folder)
    with make_server("127.0.0.1", 0, provider.application, _Server, _Quiet) as middleman:
        provider.issuer = f"http://127.0.0.1:{middleman.server_port}"
        thread = Thread(target=middleman.serve_forever, args=(0.05,))
        thread.start()
        try:
            provider.start()
            yield provider
        finally:
            provider.stop()
            middleman.shutdown()
            thread.join()


def unsigned(token: str) -> dict[str, Any]:
    """The claims of a token, whoever signed it."""
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


def browse(address: str, fields: Mapping[str, str], *, button: str | None = None) -> dict[str, str]:
    """Do what a person does at a provider, form after form, until it sends them back.

    Args:
        address: Where the sign-in begins.
        fields: What the person types, by the names of the fields.
        button: The name of the button on the last form; None takes the first without a name.

    Returns:
        The parameters that the browser comes back with.
    """
    with _http() as browser:
        response = browser.get(address)
        for _ in range(10):
            if response.has_redirect_location:
                target = urljoin(str(response.url), response.headers["Location"])
                if target.startswith(REDIRECT_URI):
                    return dict(parse_qsl(urlsplit(target).query))
                response = browser.get(target)
                continue
            assert response.status_code == 200, response.text
            response = _submit(browser, response, fields, button)
    raise AssertionError("the provider never sent the browser back")


def _submit(
    browser: httpx.Client, page: httpx.Response, fields: Mapping[str, str], button: str | None
) -> httpx.Response:
    form = cast(Any, lxml.html.fromstring(page.text)).forms[0]
    values = dict(form.form_values())
    values |= {name: value for name, value in fields.items() if name in form.inputs}
    if button in form.inputs:
        values[button] = "yes"
    target = urljoin(str(page.url), form.action or "")
    headers = {"Referer": str(page.url)}
    return browser.post(target or str(page.url), data=values, headers=headers)
