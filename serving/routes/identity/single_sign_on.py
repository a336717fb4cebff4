"""Signing in with Azure AD, Google, Okta or another provider, and the v2 names of the tokens."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from alexandria.workflows.identity.sessions import open_session
from alexandria.workflows.identity.single_sign_on import (
    SEAL_SECONDS,
    Providers,
    begin_sign_in,
    finish_sign_in,
)
from serving.admission.families import Family
from serving.admission.identity import Doorkeeper, DoorkeeperOfApp, RequestOrigin, public, signed_in
from serving.openapi import problems
from serving.routes.identity.auth import SIGN_IN, logout, refresh
from serving.schemas.identity import (
    AuthorizeResponse,
    Provider,
    ProviderInfo,
    ProviderLogin,
    ProvidersResponse,
    TokensResponse,
)

PREFIX = "/api/v2/auth"
COOKIE = "alexandria_sign_in"
HTTPS_COOKIE = f"__Host-{COOKIE}"
"""Browsers take it over https only, for this host only, and let no other host set it."""

_LABELS = {"azure_ad": "Microsoft"}
"""Names of providers that are not simply what people call them."""

_TOLD = ("code", "state", "iss", "error")

router = Family(prefix=PREFIX, tags=["auth"])


@router.get(
    "/providers",
    summary="List the providers one may sign in with",
    operation_id="list_providers",
    dependencies=[public()],
)
def read_providers(request: Request) -> ProvidersResponse:
    """The providers that the operator set up, by name."""
    providers: Providers = request.app.state.providers
    return ProvidersResponse(
        providers=[ProviderInfo(name=name, label=_label(name)) for name in providers.names()]
    )


@router.get(
    "/authorize",
    summary="Begin to sign in with a provider",
    operation_id="authorize",
    dependencies=SIGN_IN,
    responses=problems(404),
)
def authorize(
    provider: Annotated[Provider, Query()],
    request: Request,
    response: Response,
    doorkeeper: DoorkeeperOfApp,
    origin: RequestOrigin,
) -> AuthorizeResponse:
    """Where to send the browser. A cookie that only this server reads ties what follows to it."""
    providers: Providers = request.app.state.providers
    begun, sealed = begin_sign_in(doorkeeper.workspace(origin), providers, provider)
    name, is_secure = _cookie(doorkeeper)
    response.set_cookie(
        name, sealed, max_age=SEAL_SECONDS, httponly=True, secure=is_secure, samesite="lax"
    )
    return AuthorizeResponse(authorization_url=begun.address, state=begun.state)


@router.get(
    "/callback",
    summary="Come back from a provider",
    operation_id="come_back",
    dependencies=[public()],
    response_class=RedirectResponse,
    status_code=303,
    responses=problems(422),
)
def come_back(request: Request) -> RedirectResponse:
    """Hand what the provider says to the page, in the part of an address that no server sees."""
    told = {name: request.query_params[name] for name in _TOLD if name in request.query_params}
    return RedirectResponse(f"/#{urlencode(told)}", status_code=303)


@router.post(
    "/login",
    summary="Sign in with a provider",
    operation_id="login_with_provider",
    dependencies=SIGN_IN,
    responses=problems(401, 404),
)
def login(
    asked: ProviderLogin,
    request: Request,
    response: Response,
    doorkeeper: DoorkeeperOfApp,
    origin: RequestOrigin,
) -> TokensResponse:
    """Exchange what the provider sent back for tokens; the account is made at the first time."""
    workspace = doorkeeper.workspace(origin)
    name, is_secure = _cookie(doorkeeper)
    user_id = finish_sign_in(
        workspace,
        request.app.state.providers,
        asked.provider,
        code=asked.code,
        state=asked.state,
        issuer=asked.iss,
        sealed=request.cookies.get(name, ""),
    )
    response.delete_cookie(name, secure=is_secure, httponly=True, samesite="lax")
    tokens = open_session(workspace, doorkeeper.keys, user_id, asked.provider)
    doorkeeper.forget(user_id)
    return TokensResponse.model_validate(tokens)


router.post(
    "/refresh",
    summary="Exchange a refresh token",
    operation_id="refresh_v2",
    dependencies=[public()],
    responses=problems(401),
)(refresh)
router.post(
    "/logout",
    summary="Sign out",
    operation_id="logout_v2",
    dependencies=[signed_in(in_person=True)],
    responses=problems(404),
)(logout)


def _label(name: str) -> str:
    """What people call a provider."""
    words = name.replace("_", " ").strip()
    return _LABELS.get(name, words[:1].upper() + words[1:])


def _cookie(doorkeeper: Doorkeeper) -> tuple[str, bool]:
    """Name of the cookie, and whether it is for https only."""
    is_secure = doorkeeper.public_url.startswith("https:")
    return (HTTPS_COOKIE if is_secure else COOKIE), is_secure
