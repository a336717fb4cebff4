"""Which hosts a request may be meant for.

A page of somebody else's site can have its name point to this machine, and then its scripts may
talk to us as if they were ours. They cannot choose the name that browsers send with it: a
request is answered only under the name of `public_url`, a loopback name, or a bare address.
"""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import Scope

_HERE = ("localhost", ".localhost")


class Hosts:
    """The names one app answers to."""

    def __init__(self, public_url: str) -> None:
        self._public = (urlsplit(public_url).hostname or "").lower()

    def is_ours(self, scope: Scope) -> bool:
        """Whether a request names one of them; the port does not matter."""
        for name, value in scope["headers"]:
            if name == b"host":
                host = _name_of(value)
                return host == self._public or _is_here(host)
        return False


@lru_cache(maxsize=1024)
def _name_of(header: bytes) -> str:
    try:
        return (urlsplit(f"//{header.decode('latin-1')}").hostname or "").lower()
    except ValueError:
        return ""


@lru_cache(maxsize=1024)
def _is_here(host: str) -> bool:
    """A loopback name, or an address: no name can be pointed at us from outside then."""
    if host == _HERE[0] or host.endswith(_HERE[1]):
        return True
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
