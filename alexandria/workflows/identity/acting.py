"""From a principal to a database session: the one place that says what it may see.

Two lines of defence, each enough by itself. The parameters of a session are what the
application's own filters take, the first line: every query that reads documents names
`tenant_id` and `access_ids`. The role and the facts are what row-level security decides by,
the second. An operator at the command line owns the tables and is stopped by the first only.
"""

from alexandria.adapters.postgres import Acting
from alexandria.identity.principals import Principal


def reading(principal: Principal) -> Acting:
    """The session of somebody who signed in."""
    return Acting(
        facts={
            "role": "alexandria_reader",
            "alexandria.tenant_id": principal.tenant_id,
            "alexandria.user_id": principal.user_id,
            "alexandria.names": "\n".join(principal.names),
            "alexandria.permissions": "\n".join(sorted(principal.permissions)),
        },
        parameters={
            "tenant_id": principal.tenant_id,
            "user_id": principal.user_id,
            "access_ids": list(principal.access_ids),
        },
    )


def doorkeeping(tenant_id: str) -> Acting:
    """The session that finds out who somebody is; new accounts belong to the tenant."""
    return Acting(
        facts={"role": "alexandria_doorkeeper"},
        parameters={"tenant_id": tenant_id, "user_id": None, "access_ids": []},
    )


def operating(tenant_id: str) -> Acting:
    """The connections of the pipeline and the command line, which own the tables."""
    return Acting(
        facts={}, parameters={"tenant_id": tenant_id, "user_id": None, "access_ids": None}
    )
