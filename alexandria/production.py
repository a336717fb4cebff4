"""What settings must say before a library is opened to others: the check of production."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

from alexandria.errors import ConfigurationError
from alexandria.settings import Settings

KNOWN_PASSWORDS = frozenset({"", "alexandria", "changeme", "password", "postgres"})
"""What examples use, and so what is tried first."""

PASSPHRASE_LENGTH = 20

_KEYWORD = re.compile(r"(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))")
_INSTEAD_OF_A_PASSWORD = frozenset({"passfile", "service", "sslcert"})


def check_production(settings: Settings) -> None:
    """Refuse settings that are safe on a laptop only; says nothing in development.

    Raises:
        ConfigurationError: All that is wrong, by the names of the variables. No value is shown.
    """
    if settings.environment != "production":
        return
    problems = [*_public_problems(settings), *_store_problems(settings), *_key_problems(settings)]
    if problems:
        raise ConfigurationError(
            "These settings are not fit for production:\n" + "\n".join(f"- {p}" for p in problems)
        )


def _public_problems(settings: Settings) -> Iterator[str]:
    if not _is_https(settings.public_url):
        yield "ALEXANDRIA_PUBLIC_URL must be an https address."
    if settings.registration is None:
        yield "ALEXANDRIA_REGISTRATION must say open or closed."
    if any("*" in origin for origin in settings.cors_origins):
        yield 'ALEXANDRIA_CORS_ORIGINS must name each origin; "*" lets in every page there is.'
    for name, provider in settings.openid_providers.items():
        if not _is_https(provider.issuer):
            yield f"ALEXANDRIA_OPENID_PROVIDERS: the issuer of {name} must be an https address."
        if _is_known(provider.client_secret):
            yield (
                f"ALEXANDRIA_OPENID_PROVIDERS: the client secret of {name} is empty, or one that "
                "everybody knows."
            )


def _store_problems(settings: Settings) -> Iterator[str]:
    serving = settings.serving_database_url
    if serving is None:
        yield (
            "ALEXANDRIA_SERVING_DATABASE_URL must be set, so that the API signs in to the "
            "database as a role that owns nothing."
        )
    addresses = {
        "ALEXANDRIA_DATABASE_URL": settings.database_url,
        "ALEXANDRIA_SERVING_DATABASE_URL": serving.get_secret_value() if serving else None,
        "ALEXANDRIA_DAGSTER_DATABASE_URL": settings.dagster_database_url,
    }
    for name, address in addresses.items():
        if address is not None and _has_known_password(address):
            yield f"{name} has no password, or one that everybody knows."
    if settings.qdrant_url and _is_known(settings.qdrant_api_key):
        yield (
            "ALEXANDRIA_QDRANT_API_KEY must be set, to a key that not everybody knows: without "
            "it the Qdrant server asks nobody."
        )


def _key_problems(settings: Settings) -> Iterator[str]:
    for number, key in enumerate(settings.secret_keys, start=1):
        if not _is_fernet_key(key.get_secret_value()):
            yield (
                f"ALEXANDRIA_SECRET_KEYS: key {number} is not a Fernet key, "
                "which is 32 random bytes in URL-safe base64."
            )
    passphrase = settings.secret_passphrase
    if passphrase is not None and len(passphrase.get_secret_value()) < PASSPHRASE_LENGTH:
        yield (f"ALEXANDRIA_SECRET_PASSPHRASE must have {PASSPHRASE_LENGTH} characters or more.")


def _is_https(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def _is_known(secret: SecretStr | None) -> bool:
    return secret is None or secret.get_secret_value().strip().lower() in KNOWN_PASSWORDS


def _is_fernet_key(key: str) -> bool:
    from cryptography.fernet import Fernet

    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _has_known_password(address: str) -> bool:
    """Whether the password is missing or known; a socket or a certificate needs none."""
    try:
        parts = _connection_parts(address)
    except ValueError:
        return True
    password = parts.get("password", "")
    if password:
        return password.lower() in KNOWN_PASSWORDS
    return not (parts.get("host", "").startswith("/") or _INSTEAD_OF_A_PASSWORD & parts.keys())


def _connection_parts(address: str) -> dict[str, str]:
    """Of both forms that libpq reads, `postgresql://…` and `host=… password=…`.

    Dagster's address may name SQLAlchemy's driver in its scheme, which libpq would refuse.
    """
    if "://" not in address:
        return {
            name: re.sub(r"\\(.)", r"\1", quoted or plain)
            for name, quoted, plain in _KEYWORD.findall(address)
        }
    parts = urlsplit(address)
    named = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    named.setdefault("password", unquote(parts.password or ""))
    named.setdefault("host", unquote(parts.hostname or ""))
    return named
