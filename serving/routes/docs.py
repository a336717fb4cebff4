"""The page that describes the API, which may run the scripts it came with and no others."""

import base64
import hashlib
import re

from fastapi import Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from serving.admission.families import Family
from serving.admission.identity import public

SCRIPTS = "https://cdn.jsdelivr.net"
PICTURES = "https://fastapi.tiangolo.com"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

router = Family(prefix="/docs", include_in_schema=False, dependencies=[public()])


@router.get("", operation_id="read_docs")
async def read_docs(request: Request) -> HTMLResponse:
    """Swagger UI over the app's own document; its inline script is named by its hash."""
    page = get_swagger_ui_html(
        openapi_url=f"{request.scope.get('root_path', '')}{request.app.openapi_url}",
        title=f"{request.app.title}: the API",
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body).decode())
    return page


def _policy(page: str) -> str:
    hashes = " ".join(_hash_source(script) for script in _INLINE_SCRIPT.findall(page))
    return (
        f"default-src 'none'; script-src {SCRIPTS} {hashes}; "
        f"style-src {SCRIPTS} 'unsafe-inline'; img-src 'self' data: {PICTURES}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash_source(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
