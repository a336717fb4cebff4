"""Signing in and out, one's own account, sessions and API keys."""

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Form, Request

from alexandria.workflows.identity.accounts import (
    NewUser,
    change_own_name,
    change_password,
    check_credentials,
    read_user,
    register,
)
from alexandria.workflows.identity.api_keys import add_api_key, list_api_keys, revoke_api_key
from alexandria.workflows.identity.sessions import (
    end_session,
    list_sessions,
    open_session,
    refresh_session,
)
from serving.admission.families import Family
from serving.admission.identity import (
    CurrentPrincipal,
    DoorkeeperOfApp,
    RequestOrigin,
    public,
    signed_in,
)
from serving.dependencies import ActingWorkspace
from serving.openapi import problems
from serving.schemas.base import IdText
from serving.schemas.identity import (
    ApiKeyInfo,
    ApiKeyRequest,
    ApiKeysResponse,
    Done,
    Me,
    NewApiKey,
    PasswordChange,
    PasswordGrant,
    ProfileChange,
    RefreshRequest,
    RegisterRequest,
    SessionInfo,
    SessionsResponse,
    TokensResponse,
    User,
)

if TYPE_CHECKING:
    from serving.admission.limits import RequestLimits

router = Family(prefix="/auth", tags=["auth"])


async def limit_sign_in(request: Request) -> None:
    """Count an attempt against the address it comes from."""
    limits: RequestLimits = request.app.state.limits
    await limits.check_sign_in(request.scope)


SIGN_IN = [public(), Depends(limit_sign_in)]
Credentials = Annotated[PasswordGrant, Form()]


@router.post(
    "/register",
    status_code=201,
    summary="Make an account",
    operation_id="register",
    dependencies=SIGN_IN,
    responses=problems(403, 409),
)
def make_account(
    asked: RegisterRequest, doorkeeper: DoorkeeperOfApp, origin: RequestOrigin
) -> User:
    """Make an account in the role `user`, where the operator lets people do so themselves."""
    new = NewUser(asked.email, asked.password, asked.username, asked.full_name)
    return User.model_validate(register(doorkeeper.workspace(origin), new))


@router.post(
    "/login",
    summary="Sign in with a password",
    operation_id="login",
    dependencies=SIGN_IN,
    responses=problems(401),
)
def login(
    credentials: Credentials, doorkeeper: DoorkeeperOfApp, origin: RequestOrigin
) -> TokensResponse:
    """Exchange an email address or username and its password for tokens (OAuth2 password flow)."""
    workspace = doorkeeper.workspace(origin)
    proof = check_credentials(workspace, credentials.username, credentials.password)
    tokens = open_session(
        workspace,
        doorkeeper.keys,
        proof.user_id,
        "password",
        password_hash=proof.password_hash,
    )
    return TokensResponse.model_validate(tokens)


@router.post(
    "/refresh",
    summary="Exchange a refresh token",
    operation_id="refresh",
    dependencies=[public()],
    responses=problems(401),
)
def refresh(
    asked: RefreshRequest, doorkeeper: DoorkeeperOfApp, origin: RequestOrigin
) -> TokensResponse:
    """Another pair of tokens. Using a refresh token twice ends its session."""
    tokens = refresh_session(doorkeeper.workspace(origin), doorkeeper.keys, asked.refresh_token)
    return TokensResponse.model_validate(tokens)


@router.post(
    "/logout",
    summary="Sign out",
    operation_id="logout",
    dependencies=[signed_in(in_person=True)],
    responses=problems(404),
)
def logout(
    principal: CurrentPrincipal, workspace: ActingWorkspace, doorkeeper: DoorkeeperOfApp
) -> Done:
    """End the session of the token that is sent. API keys are revoked instead."""
    end_session(workspace, principal.session_id)
    doorkeeper.forget(principal.user_id)
    return Done()


@router.get(
    "/me",
    summary="Read one's own account",
    operation_id="read_me",
    dependencies=[signed_in()],
)
def read_me(principal: CurrentPrincipal, workspace: ActingWorkspace) -> Me:
    """The account of the token, and what the token may be used for."""
    user = User.model_validate(read_user(workspace, principal.user_id))
    return Me(**user.model_dump(), permissions=sorted(principal.permissions))


@router.patch(
    "/me",
    summary="Change one's own account",
    operation_id="change_me",
    dependencies=[signed_in(in_person=True)],
)
def change_me(
    asked: ProfileChange,
    principal: CurrentPrincipal,
    doorkeeper: DoorkeeperOfApp,
    origin: RequestOrigin,
) -> Me:
    """Set the name one is shown by."""
    changed = change_own_name(doorkeeper.workspace(origin, principal), principal, asked.full_name)
    user = User.model_validate(changed)
    return Me(**user.model_dump(), permissions=sorted(principal.permissions))


@router.put(
    "/me/password",
    summary="Change one's password",
    operation_id="change_password",
    dependencies=[signed_in(in_person=True), Depends(limit_sign_in)],
)
def set_password(
    asked: PasswordChange,
    principal: CurrentPrincipal,
    doorkeeper: DoorkeeperOfApp,
    origin: RequestOrigin,
) -> Done:
    """Set another password. Every other session ends; API keys stay."""
    change_password(
        doorkeeper.workspace(origin, principal),
        principal,
        asked.current_password,
        asked.new_password,
    )
    doorkeeper.forget(principal.user_id)
    return Done()


@router.get(
    "/sessions",
    summary="List where one is signed in",
    operation_id="list_sessions",
    dependencies=[signed_in(in_person=True)],
)
def read_sessions(workspace: ActingWorkspace) -> SessionsResponse:
    """Every session that has not ended, the one used last first."""
    found = list_sessions(workspace)
    return SessionsResponse(sessions=[SessionInfo.model_validate(one) for one in found])


@router.delete(
    "/sessions/{session_id}",
    summary="Sign out somewhere else",
    operation_id="end_session",
    dependencies=[signed_in(in_person=True)],
)
def delete_session(
    session_id: IdText,
    principal: CurrentPrincipal,
    workspace: ActingWorkspace,
    doorkeeper: DoorkeeperOfApp,
) -> Done:
    """End one of one's own sessions."""
    end_session(workspace, session_id)
    doorkeeper.forget(principal.user_id)
    return Done()


@router.post(
    "/api-keys",
    status_code=201,
    summary="Make an API key",
    operation_id="add_api_key",
    dependencies=[signed_in(in_person=True)],
)
def make_key(asked: ApiKeyRequest, workspace: ActingWorkspace) -> NewApiKey:
    """A key for scripts, sent as a bearer token. Its secret is in this answer only."""
    key, secret = add_api_key(workspace, asked.name, asked.permissions, asked.expires_at)
    return NewApiKey(**ApiKeyInfo.model_validate(key).model_dump(), secret=secret)


@router.get(
    "/api-keys",
    summary="List one's API keys",
    operation_id="list_api_keys",
    dependencies=[signed_in(in_person=True)],
)
def read_keys(workspace: ActingWorkspace) -> ApiKeysResponse:
    """Every key that was not revoked, the oldest first."""
    found = list_api_keys(workspace)
    return ApiKeysResponse(api_keys=[ApiKeyInfo.model_validate(one) for one in found])


@router.delete(
    "/api-keys/{api_key_id}",
    summary="Revoke an API key",
    operation_id="revoke_api_key",
    dependencies=[signed_in(in_person=True)],
)
def delete_key(
    api_key_id: IdText,
    principal: CurrentPrincipal,
    workspace: ActingWorkspace,
    doorkeeper: DoorkeeperOfApp,
) -> Done:
    """Make a key useless at once."""
    revoke_api_key(workspace, api_key_id)
    doorkeeper.forget(principal.user_id)
    return Done()
