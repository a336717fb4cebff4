"""Access lists go by an address only if somebody knows whose it is."""

from dataclasses import replace

import pytest

from alexandria.workflows.identity.accounts import (
    NewUser,
    User,
    UserChange,
    add_user,
    change_user,
    register,
)
from alexandria.workflows.identity.identifying import identify
from alexandria.workflows.identity.sessions import open_session
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace, served

EMAIL = "board@example.org"


def _names(workspace: Workspace, user: User) -> tuple[str, ...]:
    with served(workspace) as serving:
        door = serving.keeping_the_door()
        keys = SigningKeys(door)
        tokens = open_session(door, keys, user.user_id, "test")
        return identify(door, keys, tokens.access_token).names


def test_who_registered_an_address_is_not_known_by_it(workspace: Workspace) -> None:
    user = register(workspace, NewUser(EMAIL, "lantern harbour seventeen moss"))
    assert not user.is_email_proved
    assert f"user:{EMAIL}" not in _names(workspace, user)
    assert f"user:{user.user_id}" in _names(workspace, user)


def test_nobody_vouches_for_themselves(workspace: Workspace) -> None:
    new = NewUser(EMAIL, "lantern harbour seventeen moss", is_email_proved=True)
    assert not register(workspace, new).is_email_proved


@pytest.mark.parametrize("is_proved", [True, False])
def test_an_administrator_vouches_for_an_address(workspace: Workspace, is_proved: bool) -> None:
    user = add_user(workspace, replace(NewUser(EMAIL), is_email_proved=not is_proved))
    change_user(workspace, user.user_id, UserChange(is_email_proved=is_proved))
    assert (f"user:{EMAIL}" in _names(workspace, user)) == is_proved
