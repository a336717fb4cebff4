"""What production refuses, rule by rule."""

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from alexandria.errors import ConfigurationError
from alexandria.production import check_production
from alexandria.settings import Settings

PASSWORD = "kX9vq2-mZ7wLpR4t"
FERNET_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
FIT: dict[str, Any] = {
    "environment": "production",
    "public_url": "https://library.example",
    "registration": "closed",
    "api_host": "0.0.0.0",
    "database_url": f"postgresql://owner:{PASSWORD}@db/alexandria",
    "serving_database_url": f"host=db user=alexandria_api password='{PASSWORD}'",
    "dagster_database_url": f"postgresql+psycopg2://dagster:{PASSWORD}@db/dagster",
    "qdrant_url": "http://qdrant:6333",
    "qdrant_api_key": PASSWORD,
    "cors_origins": ("https://app.example",),
    "secret_keys": (FERNET_KEY,),
    "secret_passphrase": "twenty characters or more",
    "openid_providers": {
        "okta": {"issuer": "https://okta.example", "client_id": "a", "client_secret": PASSWORD}
    },
}
OKTA = FIT["openid_providers"]["okta"]
UNFIT: list[tuple[str, Any]] = [
    ("public_url", "http://library.example"),
    ("public_url", "https://"),
    ("public_url", "https://[library"),
    ("public_url", "library.example"),
    ("registration", None),
    ("cors_origins", ("https://app.example", "*")),
    ("cors_origins", ("https://*.example",)),
    ("serving_database_url", None),
    ("qdrant_api_key", None),
    ("qdrant_api_key", ""),
    ("qdrant_api_key", "ChangeMe"),
    ("secret_passphrase", "nineteen characters"),
    ("secret_keys", (FERNET_KEY, "not-a-key")),
    ("secret_keys", (base64.urlsafe_b64encode(bytes(31)).decode(),)),
    ("openid_providers", {"okta": OKTA, "google": OKTA | {"issuer": "http://google.example"}}),
    *(
        ("openid_providers", {"okta": OKTA | {"client_secret": word}})
        for word in ("", " ", "Postgres")
    ),
]
EVERY_DATABASE = ("database_url", "serving_database_url", "dagster_database_url")
ADDRESSES = [
    *(f"postgresql://owner:{word}@db/x" for word in ("postgres", "Alexandria", "changeme")),
    "postgresql://owner:password@db:5432/x?sslmode=require",
    "postgresql://owner:%70assword@db/x",
    "postgresql://db/x?user=owner&password=postgres",
    "postgresql://owner:@db/x",
    "postgresql://owner@db/x",
    "postgresql://owner@[db/x",
    "host=db user=owner password=postgres",
    "host=db user=owner password = 'chang\\eme'",
    "host=db user=owner",
]
SAFE_ADDRESSES = [
    f"postgresql://owner:{PASSWORD}@db/x",
    f"postgresql://db1,db2/x?password={PASSWORD}",
    "postgresql://owner@/x?host=%2Frun%2Fpostgresql",
    "host=/run/postgresql user=owner",
    "postgresql://owner@db/x?passfile=%2Frun%2Fsecrets%2Fpgpass",
    "host=db user=owner sslcert=/run/secrets/owner.crt",
    f"host=db password='{PASSWORD} postgres'",
]


def problems(**changed: Any) -> list[str]:
    try:
        check_production(Settings(**(FIT | changed)))
    except ConfigurationError as error:
        return [line for line in error.message.splitlines() if line.startswith("- ")]
    return []


def test_settings_that_are_fit_pass() -> None:
    assert problems() == []


def test_development_may_be_set_up_in_any_way() -> None:
    check_production(Settings(cors_origins=("*",), database_url="postgresql://a:postgres@b/c"))


@pytest.mark.parametrize(("name", "value"), UNFIT)
def test_each_rule_names_its_variable(name: str, value: Any) -> None:
    (found,) = problems(**{name: value})
    assert f"ALEXANDRIA_{name.upper()}" in found


@pytest.mark.parametrize("name", EVERY_DATABASE)
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_known_password_is_refused_in_every_address(name: str, address: str) -> None:
    (found,) = problems(**{name: address})
    assert f"ALEXANDRIA_{name.upper()}" in found


@pytest.mark.parametrize("name", EVERY_DATABASE)
@pytest.mark.parametrize("address", SAFE_ADDRESSES)
def test_a_socket_a_certificate_or_a_password_of_ones_own_is_fit(name: str, address: str) -> None:
    assert problems(**{name: address}) == []


def test_everything_wrong_is_listed_at_once_and_no_value_is_shown() -> None:
    wrong: dict[str, Any] = {
        "public_url": "http://shown.example",
        "registration": None,
        "cors_origins": ("*",),
        "database_url": "postgresql://shown:changeme@shown/x",
        "serving_database_url": None,
        "qdrant_api_key": None,
        "secret_passphrase": "shown",
        "secret_keys": ("shown", "shown too"),
        "openid_providers": {"okta": OKTA | {"issuer": "http://shown"}},
    }
    found = problems(**wrong)
    assert len(found) == len(wrong) + 1
    assert not any(value in line for line in found for value in ("shown", "changeme", PASSWORD))


def test_a_provider_that_is_wrong_is_named() -> None:
    (found,) = problems(openid_providers={"okta": OKTA, "azure_ad": OKTA | {"issuer": "azure"}})
    assert "azure_ad" in found
    assert "okta" not in found


@pytest.mark.parametrize("name", ["Okta", "azure-ad", "", "2fa", "a b", "a" * 42, "okta\n"])
def test_a_provider_has_a_name_that_its_routes_take(name: str) -> None:
    with pytest.raises(ValidationError, match="openid_providers"):
        Settings.model_validate({"openid_providers": {name: OKTA}})
