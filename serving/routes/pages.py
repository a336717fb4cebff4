"""The web page: a few plain files that load nothing from anywhere else."""

from os import PathLike, stat_result
from pathlib import Path

from fastapi import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from serving.admission.families import Family
from serving.admission.identity import public

PAGES_FOLDER = Path(__file__).parents[1] / "pages"
_HEADERS = {
    "Cache-Control": "no-cache",  # kept, but asked for again: an upgrade shows at once
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
}

router = Family(include_in_schema=False, dependencies=[public()])


class PageFiles(StaticFiles):
    """Files of the page, with the headers that keep foreign code out of it."""

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer 304 when the client's copy is current."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_HEADERS)
        return response


def page_files() -> PageFiles:
    """The files, to be mounted."""
    return PageFiles(directory=PAGES_FOLDER)


@router.api_route("/", methods=["GET", "HEAD"], operation_id="read_page")
async def read_page(request: Request) -> Response:
    """The page itself."""
    files: PageFiles = request.app.state.pages
    return await files.get_response("index.html", request.scope)
