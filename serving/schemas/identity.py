"""Accounts, tokens and keys as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, StringConstraints

from alexandria.identity.permissions import Permission, Role
from serving.schemas.base import (
    IdText,
    Moment,
    Name,
    RequestBody,
    ResponseBody,
    Truth,
    with_example,
)

USER_EXAMPLE: dict[str, Any] = {
    "user_id": "7d2f0c1e-3b5a-4e6c-9f8d-0a1b2c3d4e5f",
    "tenant_id": "default",
    "email": "ines@example.org",
    "username": "ines",
    "full_name": "Inés Arregui",
    "role": "user",
    "groups": ["keepers"],
    "is_active": True,
    "is_email_proved": True,
    "created_at": "2026-01-31T12:00:00Z",
    "last_login_at": "2026-02-01T08:30:00Z",
}
_TOKENS: dict[str, Any] = {
    "access_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9...",
    "refresh_token": "alxr_...",
    "token_type": "bearer",
    "expires_in": 900,
    "user": USER_EXAMPLE,
}
_KEY: dict[str, Any] = {
    "api_key_id": "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
    "name": "nightly report",
    "hint": "x7Qa",
    "permissions": ["query", "view_documents"],
    "created_at": "2026-01-31T12:00:00Z",
    "expires_at": None,
    "used_at": None,
}
_SESSION: dict[str, Any] = {
    "session_id": "2c4d6e8f-1a3b-4c5d-8e7f-9a0b1c2d3e4f",
    "method": "password",
    "ip_address": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "started_at": "2026-02-01T08:30:00Z",
    "refreshed_at": "2026-02-01T08:45:00Z",
    "ends_at": "2026-03-03T08:30:00Z",
}
_SETTING: dict[str, Any] = {
    "key": "imap.password",
    "value": "",
    "is_sensitive": True,
    "description": "Mailbox of the keepers.",
    "updated_at": "2026-02-01T08:30:00Z",
}
_EVENT: dict[str, Any] = {
    "audit_event_id": 42,
    "timestamp": "2026-02-01T08:30:00Z",
    "user_id": "7d2f0c1e-3b5a-4e6c-9f8d-0a1b2c3d4e5f",
    "actor": "ines@example.org",
    "action": "session.opened",
    "resource_type": "session",
    "resource_id": "2c4d6e8f-1a3b-4c5d-8e7f-9a0b1c2d3e4f",
    "outcome": "done",
    "ip_address": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "request_id": "3f2b8c1e9d7a4f60b5c2d1e0f9a8b7c6",
    "details": {"method": "password"},
}

Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=320, pattern=r"^[^\x00]+$"),
    Field(json_schema_extra={"format": "email"}),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\x00]+$")]
"""As it is typed; rules for new ones are the workflow's."""

Username = Annotated[
    str, StringConstraints(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")]
Provider = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$"),
    Field(description="azure_ad, google, okta, or another that the operator set up."),
]


class PasswordGrant(RequestBody):
    """Credentials as an OAuth2 client sends them (RFC 6749, 4.3); what else it sends is ignored."""

    model_config = with_example(
        {
            "grant_type": "password",
            "username": "ines@example.org",
            "password": "lantern harbour seventeen moss",
        }
    ) | {"extra": "ignore"}

    grant_type: Literal["password"] = "password"
    username: Annotated[
        str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")
    ] = Field(description="An email address or a username.")
    password: Password


class RegisterRequest(RequestBody):
    """An account to be made."""

    model_config = with_example(
        {
            "email": "ines@example.org",
            "username": "ines",
            "password": "lantern harbour seventeen moss",
            "full_name": "Inés Arregui",
        }
    ) | {"extra": "forbid", "frozen": True}

    email: Email = Field(description="Its address in lower case names the account.")
    password: Password = Field(description="12 to 128 characters that are hard to guess.")
    username: Username | None = Field(default=None, description="Another name to sign in with.")
    full_name: str = Field(default="", max_length=200, pattern=r"^[^\x00]*$")


class User(ResponseBody):
    """An account."""

    model_config = with_example(USER_EXAMPLE) | {"from_attributes": True, "frozen": True}

    user_id: IdText
    tenant_id: str = Field(description="The library they belong to.")
    email: str
    username: str | None
    full_name: str
    role: str = Field(description="viewer, user or admin.")
    groups: list[str]
    is_active: bool
    is_email_proved: bool = Field(
        description="Whether the address is known to be theirs; access lists go by it only then."
    )
    created_at: datetime
    last_login_at: datetime | None


class Me(User):
    """The account of whoever asks, and what the token they sent may be used for."""

    model_config = with_example(USER_EXAMPLE | {"permissions": ["query", "view_documents"]})

    permissions: list[str]


class TokensResponse(ResponseBody):
    """What somebody who signed in is given."""

    model_config = with_example(_TOKENS) | {"from_attributes": True, "frozen": True}

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    refresh_token: str = Field(description="Good for one exchange into another pair.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a word of OAuth2, no secret
    expires_in: int = Field(description="Seconds the access token holds.")
    user: User


class RefreshRequest(RequestBody):
    """A refresh token to be exchanged."""

    model_config = with_example({"refresh_token": "alxr_..."})

    refresh_token: Secret


class PasswordChange(RequestBody):
    """Another password."""

    model_config = with_example(
        {
            "current_password": "lantern harbour seventeen moss",
            "new_password": "eleven quiet herons over the pier",
        }
    )

    current_password: Password
    new_password: Password


class ProfileChange(RequestBody):
    """What becomes of one's own profile; what is left out stays."""

    model_config = with_example({"full_name": "Inés Arregui"})

    full_name: str | None = Field(default=None, max_length=200, pattern=r"^[^\x00]*$")


class Done(ResponseBody):
    """It is done."""

    model_config = with_example({"success": True})

    success: Literal[True] = True


class SessionInfo(ResponseBody):
    """A place one is signed in at."""

    model_config = with_example(_SESSION)

    session_id: IdText
    method: str = Field(description="password, or the provider of single sign-on.")
    ip_address: str
    user_agent: str
    started_at: datetime
    refreshed_at: datetime
    ends_at: datetime


class SessionsResponse(ResponseBody):
    """Every place one is signed in at, the one used last first."""

    model_config = with_example({"sessions": [_SESSION]})

    sessions: list[SessionInfo]


class ApiKeyRequest(RequestBody):
    """A key to be made."""

    model_config = with_example({"name": "nightly report", "permissions": ["query"]})

    name: Name = Field(description="What it is for.", max_length=100)
    permissions: list[Permission] = Field(
        min_length=1, max_length=7, description="No more than you hold."
    )
    expires_at: Moment | None = Field(default=None, description="When it stops working.")


class ApiKeyInfo(ResponseBody):
    """A key, by all that may be told of it."""

    model_config = with_example(_KEY) | {"from_attributes": True, "frozen": True}

    api_key_id: IdText
    name: str
    hint: str = Field(description="How the secret ends.")
    permissions: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class NewApiKey(ApiKeyInfo):
    """A key and its secret, which is shown this once."""

    model_config = with_example(_KEY | {"secret": "alx_..."})

    secret: str


class ApiKeysResponse(ResponseBody):
    """One's keys, the oldest first."""

    model_config = with_example({"api_keys": [_KEY]})

    api_keys: list[ApiKeyInfo]


class ProviderInfo(ResponseBody):
    """A provider that one may sign in with."""

    model_config = with_example({"name": "okta", "label": "Okta"})

    name: str = Field(description="Send it to /api/v2/auth/authorize.")
    label: str = Field(description="What people call it.")


class ProvidersResponse(ResponseBody):
    """The providers that the operator set up, in the order of their names."""

    model_config = with_example({"providers": [{"name": "okta", "label": "Okta"}]})

    providers: list[ProviderInfo]


class AuthorizeResponse(ResponseBody):
    """Where to sign in, with a provider."""

    model_config = with_example(
        {
            "authorization_url": "https://login.example.org/authorize?client_id=alexandria",
            "state": "yD1c8Qm2",
        }
    )

    authorization_url: str = Field(description="Send the browser there.")
    state: str = Field(description="Comes back with the code; send both to /api/v2/auth/login.")


class ProviderLogin(RequestBody):
    """What a provider sent back."""

    model_config = with_example({"provider": "okta", "code": "4fT9x", "state": "yD1c8Qm2"})

    provider: Provider
    code: Secret = Field(description="The authorization code.")
    state: Secret | None = Field(default=None, description="The state that came with it.")
    iss: Secret | None = Field(default=None, description="The issuer that came with it, if any.")


class UsersResponse(ResponseBody):
    """Accounts of the library, and how many there are in all."""

    model_config = with_example({"users": [USER_EXAMPLE], "total": 1})

    users: list[User]
    total: int


class UserPatch(RequestBody):
    """What becomes of an account; what is left out stays."""

    model_config = with_example({"role": "viewer", "groups": ["keepers"]})

    role: Role | None = None
    groups: list[Name] | None = Field(default=None, max_length=100)
    is_active: Truth | None = None
    is_email_proved: Truth | None = None


class SettingRequest(RequestBody):
    """A setting to be kept."""

    model_config = with_example(
        {
            "value": "a password of the mailbox",
            "is_sensitive": True,
            "description": "Mailbox of the keepers.",
        }
    )

    value: str = Field(max_length=10_000, pattern=r"^[^\x00]*$")
    is_sensitive: Truth = Field(default=True, description="Encrypted, and never shown again.")
    description: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")


class SettingInfo(ResponseBody):
    """A setting; the value of a sensitive one is empty."""

    model_config = with_example(_SETTING)

    key: str
    value: str
    is_sensitive: bool
    description: str
    updated_at: datetime


class SettingsResponse(ResponseBody):
    """Every setting of the library."""

    model_config = with_example({"settings": [_SETTING]})

    settings: list[SettingInfo]


class AuditLog(ResponseBody):
    """One event of the audit log."""

    model_config = with_example(_EVENT)

    audit_event_id: int
    timestamp: datetime = Field(validation_alias=AliasChoices("occurred_at", "timestamp"))
    user_id: IdText | None
    actor: str = Field(description="An email address, anonymous or operator.")
    action: str
    resource_type: str
    resource_id: str
    outcome: str = Field(description="done, denied or failed.")
    ip_address: str
    user_agent: str
    request_id: str
    details: dict[str, Any]


class AuditLogsResponse(ResponseBody):
    """The newest events asked for, and how many there are."""

    model_config = with_example({"logs": [_EVENT], "total": 1})

    logs: list[AuditLog]
    total: int
