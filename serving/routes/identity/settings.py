"""Settings and credentials that administrators keep for their library."""

from typing import Annotated

from fastapi import Path

from alexandria.identity.permissions import Permission
from alexandria.workflows.identity.settings import delete_setting, keep_setting, list_settings
from serving.admission.families import Family
from serving.admission.identity import requires
from serving.dependencies import ActingWorkspace
from serving.schemas.identity import Done, SettingInfo, SettingRequest, SettingsResponse

router = Family(
    prefix="/api/v2/admin/settings",
    tags=["admin"],
    dependencies=[requires(Permission.ADMIN)],
)

Key = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$", description="Names it.")]


@router.get(
    "",
    summary="List settings",
    operation_id="list_settings",
)
def read_settings(workspace: ActingWorkspace) -> SettingsResponse:
    """Every setting of one's own library; values of sensitive ones are left out."""
    found = list_settings(workspace)
    return SettingsResponse(settings=[SettingInfo.model_validate(one) for one in found])


@router.put(
    "/{key}",
    summary="Keep a setting",
    operation_id="keep_setting",
)
def put_setting(key: Key, asked: SettingRequest, workspace: ActingWorkspace) -> Done:
    """Keep a value in place of what it was; a sensitive one is stored encrypted."""
    keep_setting(
        workspace,
        key,
        asked.value,
        is_sensitive=asked.is_sensitive,
        description=asked.description,
    )
    return Done()


@router.delete(
    "/{key}",
    summary="Forget a setting",
    operation_id="delete_setting",
)
def forget_setting(key: Key, workspace: ActingWorkspace) -> Done:
    """Delete a setting."""
    delete_setting(workspace, key)
    return Done()
