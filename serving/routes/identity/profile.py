"""One's own profile, under the name that earlier clients know it by."""

from serving.admission.families import Family
from serving.admission.identity import signed_in
from serving.routes.identity.auth import change_me, read_me

router = Family(prefix="/api/profile", tags=["auth"])

router.get(
    "",
    summary="Read one's profile",
    operation_id="read_profile",
    dependencies=[signed_in()],
)(read_me)
router.patch(
    "",
    summary="Change one's profile",
    operation_id="change_profile",
    dependencies=[signed_in(in_person=True)],
)(change_me)
