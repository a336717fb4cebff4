"""Signing in elsewhere: with a provider that the operator trusts, by OpenID Connect.

What must be kept between going there and coming back is sealed with the keyring and left with
the browser, so any process can go on with it and nobody else can. It holds the secret half of
PKCE: a code that another browser brings is worth nothing.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from alexandria.adapters.identity.ciphers import open_keyring
from alexandria.adapters.openid import Begun, ExternalIdentity, OpenIdClient
from alexandria.errors import ConfigurationError, NotFoundError, SignInFailedError
from alexandria.identity.passwords import normalize_email
from alexandria.identity.permissions import Role
from alexandria.settings import OpenIdProvider, Settings
from alexandria.workflows.identity.accounts import NewUser, add_user
from alexandria.workflows.identity.audit import record_event
from alexandria.workflows.workspace import Workspace

CALLBACK_PATH = "/api/v2/auth/callback"
SEAL_SECONDS = 600
"""How long somebody may take to sign in there."""


class Providers:
    """The providers of the settings; each keeps what it learnt of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, OpenIdClient] = {}

    def names(self) -> list[str]:
        """Of the providers, in order."""
        return sorted(self._settings.openid_providers)

    def named(self, name: str) -> tuple[OpenIdProvider, OpenIdClient]:
        """One provider.

        Raises:
            NotFoundError: The operator set up none of that name.
        """
        provider = self._settings.openid_providers.get(name)
        if provider is None:
            known = ", ".join(sorted(self._settings.openid_providers)) or "none is set up"
            raise NotFoundError(f"No provider {name}; known: {known}.")
        if name not in self._clients:
            address = self._settings.public_url.rstrip("/") + CALLBACK_PATH
            self._clients[name] = OpenIdClient(provider, address)
        return provider, self._clients[name]


def begin_sign_in(workspace: Workspace, providers: Providers, name: str) -> tuple[Begun, str]:
    """Where to send the browser, and what it must bring back, sealed.

    Raises:
        NotFoundError: The operator set up no such provider.
        StoreUnavailableError: The provider does not answer.
    """
    _, client = providers.named(name)
    begun = client.begin()
    kept = json.dumps({"provider": name, "at": time.time(), "begun": asdict(begun)})
    return begun, open_keyring(workspace.settings).encrypt(kept)


def finish_sign_in(
    workspace: Workspace,
    providers: Providers,
    name: str,
    *,
    code: str,
    state: str | None,
    issuer: str | None,
    sealed: str,
) -> str:
    """The user id of somebody who came back from a provider; a new account if they had none.

    Args:
        workspace: One that keeps the door.
        providers: Of the settings.
        name: The provider they were sent to.
        code: As the provider gave it.
        state: As it came with the code; None trusts the seal alone.
        issuer: As it came with the code, where the provider sends it.
        sealed: What `begin_sign_in` gave the same browser.

    Raises:
        SignInFailedError: What came back does not belong to a sign-in that began here, or the
            provider does not vouch for their address.
        NotFoundError: The operator set up no such provider.
        StoreUnavailableError: The provider does not answer.
    """
    provider, client = providers.named(name)
    try:
        begun = _unseal(workspace, name, sealed)
        came_with = begun.state if state is None else state
        who = client.finish(code, came_with, begun, issuer=issuer)
        with workspace.database.transaction():
            return _account_of(workspace, provider, who)
    except SignInFailedError:
        record_event(
            workspace,
            "session.opened",
            "user",
            outcome="denied",
            details={"method": name},
            tenant_id=provider.tenant_id,
        )
        raise


@dataclass(frozen=True, slots=True)
class _Linked:
    user_id: str
    tenant_id: str
    email: str
    is_active: bool


def _account_of(workspace: Workspace, provider: OpenIdProvider, who: ExternalIdentity) -> str:
    """The user id of somebody that a provider has told us."""
    database = workspace.database
    known_as = {"issuer": who.issuer, "subject": who.subject}
    account = database.fetch_one(_Linked, "find_external_account", **known_as)
    if account is None:
        database.execute("link_one_at_a_time")
        account = database.fetch_one(_Linked, "find_external_account", **known_as) or _link(
            workspace, provider, who
        )
    if not account.is_active:
        raise SignInFailedError("That account is switched off; ask an administrator.")
    if who.groups is not None:
        groups = sorted(set(who.groups))
        if database.execute("set_groups", user_id=account.user_id, groups=groups):
            _tell(workspace, account, "user.changed", {"groups": groups})
    return account.user_id


def _link(workspace: Workspace, provider: OpenIdProvider, who: ExternalIdentity) -> _Linked:
    """Make an account for somebody, or join the one that has their address in the same tenant."""
    if not who.email or not (who.is_email_verified or provider.trusts_email):
        raise SignInFailedError(
            "The provider does not vouch for your email address; ask its administrator."
        )
    email = normalize_email(who.email)
    tenant_id = provider.tenant_id or workspace.settings.tenant_id
    database = workspace.database
    known = database.records("find_account_in_tenant", email=email)
    if known and (known[0]["tenant_id"] != tenant_id or not known[0]["is_active"]):
        raise SignInFailedError("That address belongs to an account that cannot be joined.")
    told: dict[str, object] = {"issuer": who.issuer}
    if known:
        user_id = str(known[0]["user_id"])
        if not known[0]["is_email_proved"]:
            _take_over(workspace, user_id)
            told["took_over"] = True
    else:
        new = NewUser(email, full_name=(who.name or "")[:200], role=Role(provider.role))
        user_id = add_user(workspace, new, tenant_id=tenant_id).user_id
    database.execute(
        "link_external_identity",
        user_id=user_id,
        tenant_id=tenant_id,
        issuer=who.issuer,
        subject=who.subject,
    )
    account = _Linked(user_id, tenant_id, email, is_active=True)
    _tell(workspace, account, "identity.linked", told)
    return account


def _tell(
    workspace: Workspace, account: _Linked, action: str, details: Mapping[str, object]
) -> None:
    record_event(
        workspace,
        action,
        "user",
        account.user_id,
        details=details,
        user_id=account.user_id,
        actor=account.email,
        tenant_id=account.tenant_id,
    )


def _take_over(workspace: Workspace, user_id: str) -> None:
    """End what was set up in an account whose address nobody proved to be theirs.

    Whoever registered first with an address of somebody else would share the account with them.
    """
    workspace.database.execute("set_password", user_id=user_id, password_hash=None)
    workspace.database.execute("revoke_sessions", user_id=user_id, except_id=None)
    workspace.database.execute("revoke_keys", user_id=user_id)
    workspace.database.execute("prove_email", user_id=user_id)


def _unseal(workspace: Workspace, name: str, sealed: str) -> Begun:
    again = "Begin to sign in again; this one is too old or began in another browser."
    try:
        kept = json.loads(open_keyring(workspace.settings).decrypt(sealed))
    except (ConfigurationError, ValueError):
        raise SignInFailedError(again) from None
    is_fresh = 0 <= time.time() - kept["at"] <= SEAL_SECONDS
    if kept["provider"] != name or not is_fresh:
        raise SignInFailedError(again)
    return Begun(**kept["begun"])
