"""Hooks of Schemathesis: each case is sent as somebody in the role of `REQUESTS_AS`.

A case may sign its own account out, switch it off or take its role away. The account is put
right before the next case, so no case goes unheard because of the one before.
"""

import os
from contextlib import ExitStack
from typing import Any

import schemathesis
from schemathesis import AuthContext, Case, CheckContext, Response

from alexandria.errors import UnauthenticatedError
from alexandria.identity.permissions import Role
from alexandria.settings import Settings
from alexandria.workflows.identity.accounts import NewUser, UserChange, add_user, change_user
from alexandria.workflows.identity.identifying import identify
from alexandria.workflows.identity.sessions import open_session
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import open_workspace

NOBODY = "nobody"
AS = os.environ["REQUESTS_AS"]


class SomebodyInARole:
    """An account that is signed in again whenever a case has signed it out."""

    def __init__(self) -> None:
        self._role = Role(AS)
        self._operator = _OPEN.enter_context(open_workspace(Settings())).keeping_the_door()
        self._keys = SigningKeys(self._operator)
        new = NewUser(email=f"{AS}@example.org", role=self._role)
        self._user_id = add_user(self._operator, new).user_id
        self._token = self._sign_in()

    def get(self, case: Case[Any], ctx: AuthContext) -> str:
        """A token that holds, of somebody in the role."""
        try:
            principal = identify(self._operator, self._keys, self._token)
        except UnauthenticatedError:
            self._token = self._sign_in()
        else:
            if principal.role != self._role:
                self._token = self._sign_in()
        return self._token

    def set(self, case: Case[Any], data: str, ctx: AuthContext) -> None:
        """Send it."""
        case.headers["Authorization"] = f"Bearer {data}"

    def _sign_in(self) -> str:
        change_user(self._operator, self._user_id, UserChange(self._role, is_active=True))
        return open_session(self._operator, self._keys, self._user_id, "test").access_token


@schemathesis.check
def well_formed(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What the document allows is never refused for its form, but for days in a wrong order."""
    is_allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if is_allowed and response.status_code == 422:
        problem = response.json()
        wrong = {one["field"] for one in problem["errors"]} - {"body.filters.date_range"}
        is_malformed = problem["code"] == "invalid_request"
        assert not (is_malformed and wrong), "valid by the document, and refused"


@schemathesis.check
def nobody_is_let_in(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Without a token that holds, what is not public answers 401, or that there is no such path."""
    is_public = case.operation.definition.raw["security"] == []
    if AS == NOBODY and not is_public:
        assert response.status_code in {401, 404, 405, 413}, "nobody was let in"


_OPEN = ExitStack()
if AS != NOBODY:
    schemathesis.auth(refresh_interval=None)(SomebodyInARole)
