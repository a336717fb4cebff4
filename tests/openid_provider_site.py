"""A real OpenID provider, run as a process of its own: Django with django-oauth-toolkit.

    python openid_provider_site.py FOLDER

The folder holds its database, `people.json` and `clients.json`, and its signing keys as
`*.pem`, of which the last by name signs and all are published. It prints its port and serves
until its standard input ends. Which host it calls itself is up to the request.
"""

import json
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, ClassVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings

LOGIN_PAGE = '<form method="post">{% csrf_token %}{{ form }}<button>Sign in</button></form>'
SCOPES = {"openid": "Who you are", "email": "Your address", "profile": "Your name"}


def configure(folder: Path) -> None:
    *older, newest = (path.read_text() for path in sorted(folder.glob("*.pem")))
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "provider.sqlite3"),
                "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        LOGIN_URL="/accounts/login/",
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": newest,
            "OIDC_RSA_PRIVATE_KEYS_INACTIVE": older,
            "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Claims",
            "SCOPES": SCOPES,
            "PKCE_REQUIRED": True,
            "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        },
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for tests",
        TEMPLATES=[_templates()],
        USE_TZ=True,
    )
    django.setup()


def _templates() -> dict[str, object]:
    pages = {"registration/login.html": LOGIN_PAGE}
    loaders = [
        ("django.template.loaders.locmem.Loader", pages),
        "django.template.loaders.app_directories.Loader",
    ]
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": loaders,
            "context_processors": ["django.template.context_processors.request"],
        },
    }


def people() -> dict[str, dict[str, Any]]:
    return json.loads((Path(sys.argv[1]) / "people.json").read_text())


def fill(folder: Path) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    for name, person in people().items():
        User.objects.create_user(name, password=person["password"])
    for client_id, client in json.loads((folder / "clients.json").read_text()).items():
        Application.objects.create(
            name=client_id,
            client_id=client_id,
            client_secret=client["secret"],
            redirect_uris=" ".join(client["redirect_uris"]),
            client_type="confidential",
            authorization_grant_type="authorization-code",
            algorithm="RS256",
        )


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def serve(folder: Path) -> None:
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path
    from oauth2_provider.oauth2_validators import OAuth2Validator

    class Claims(OAuth2Validator):
        """What it says about people; `userinfo_only` claims are not in the ID token."""

        oidc_claim_scope: ClassVar = {**OAuth2Validator.oidc_claim_scope, "groups": "openid"}

        def get_additional_claims(self, request: Any) -> dict[str, object]:
            return people()[request.user.username]["claims"]

        def get_userinfo_claims(self, request: Any) -> dict[str, object]:
            more = people()[request.user.username].get("userinfo_only", {})
            return {**super().get_userinfo_claims(request), **more}

    module: Any = sys.modules[__name__]
    module.Claims = Claims
    module.urlpatterns = [
        path("accounts/", include("django.contrib.auth.urls")),
        path("", include("oauth2_provider.urls")),
    ]
    if not (folder / "provider.sqlite3").exists():
        fill(folder)
    application: Any = get_wsgi_application()
    with make_server("127.0.0.1", 0, application, Server, Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    configure(Path(sys.argv[1]))
    serve(Path(sys.argv[1]))
