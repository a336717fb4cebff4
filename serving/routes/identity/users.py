"""Accounts of a library, for those who manage them."""

from typing import Annotated

from fastapi import Query

from alexandria.identity.permissions import Permission
from alexandria.workflows.identity.accounts import UserChange, change_user, list_users
from serving.admission.families import Family
from serving.admission.identity import DoorkeeperOfApp, requires
from serving.dependencies import ActingWorkspace
from serving.openapi import problems
from serving.schemas.base import IdText
from serving.schemas.identity import User, UserPatch, UsersResponse

router = Family(
    prefix="/api/v2/admin/users",
    tags=["admin"],
    dependencies=[requires(Permission.MANAGE_USERS)],
)


@router.get(
    "",
    summary="List accounts",
    operation_id="list_users",
)
def read_users(
    workspace: ActingWorkspace,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> UsersResponse:
    """Accounts of one's own library by email address."""
    users, total = list_users(workspace, limit=limit, offset=skip)
    return UsersResponse(users=[User.model_validate(one) for one in users], total=total)


@router.patch(
    "/{user_id}",
    summary="Change an account",
    operation_id="change_user",
    responses=problems(409),
)
def patch_user(
    user_id: IdText, asked: UserPatch, workspace: ActingWorkspace, doorkeeper: DoorkeeperOfApp
) -> User:
    """Give another role or other groups, or switch an account off, which signs it out."""
    change = UserChange(asked.role, asked.groups, asked.is_active, asked.is_email_proved)
    user = change_user(workspace, user_id, change)
    doorkeeper.forget(user.user_id)
    return User.model_validate(user)
