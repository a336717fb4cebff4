"""What verifies our access tokens, for other services."""

from typing import Any

from serving.admission.families import Family
from serving.admission.identity import DoorkeeperOfApp, public
from serving.schemas.base import ResponseBody

router = Family(prefix="/.well-known", tags=["auth"], dependencies=[public()])


class KeySet(ResponseBody):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, Any]]


@router.get(
    "/jwks.json",
    summary="Keys that verify access tokens",
    operation_id="read_jwks",
)
def read_jwks(doorkeeper: DoorkeeperOfApp) -> KeySet:
    """Public keys by `kid`; one that was rotated stays for two hours."""
    return KeySet.model_validate(doorkeeper.keys.jwks())
