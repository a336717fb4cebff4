"""The API, assembled: `uvicorn --factory serving.app:create_app`.

Importing this module does nothing. An app answers `/health/live` as soon as it runs, opens
its library in the background, and never works on the event loop.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync
from fastapi import FastAPI

from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace
from serving.errors import install_error_handlers
from serving.library import Library
from serving.metrics import Metrics, MetricsMiddleware
from serving.middleware import BodyLimitMiddleware, RequestIdMiddleware
from serving.openapi import install_openapi
from serving.routes import documents, health, images, pages, query

JSON_BODY_BYTES = 256 * 1024
MULTIPART_BYTES = 64 * 1024
"""What multipart adds to a file, at most."""

DESCRIPTION = (
    "Ask a library of documents and see where every answer came from. Every error has the "
    "same body, problem details as in RFC 9457, and every response names its request in "
    "`X-Request-ID`."
)


def create_app(settings: Settings | None = None, workspace: Workspace | None = None) -> FastAPI:
    """Build an app that serves the library of `settings`, or a workspace that is open.

    Args:
        settings: What to open; read from the environment if neither is given.
        workspace: Served as it is and not closed; its settings hold.
    """
    chosen = workspace.settings if workspace else settings or Settings()
    app = FastAPI(
        title="Alexandria",
        version="2",
        summary="A library that answers and proves where every answer came from.",
        description=DESCRIPTION,
        lifespan=_serve,
        redoc_url=None,
    )
    app.state.library = Library(chosen, workspace)
    app.state.metrics = Metrics()
    app.state.pages = pages.page_files()
    _add_middleware(app, chosen)
    for family in (query, documents, images, health, pages):
        app.include_router(family.router)
    app.mount("/pages", app.state.pages, name="pages")
    install_error_handlers(app)
    install_openapi(app)
    return app


@asynccontextmanager
async def _serve(app: FastAPI) -> AsyncGenerator[None]:
    library: Library = app.state.library
    library.start()
    try:
        yield
    finally:
        await run_sync(library.close)


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """The last one added is the outermost."""
    app.add_middleware(
        BodyLimitMiddleware,
        default=JSON_BODY_BYTES,
        limits={
            documents.UPLOAD_PATH: settings.max_file_bytes + MULTIPART_BYTES,
            images.UPLOAD_PATH: settings.max_file_bytes + MULTIPART_BYTES,
            images.SEARCH_PATH: images.SEARCH_BYTES + MULTIPART_BYTES,
        },
    )
    app.add_middleware(MetricsMiddleware, metrics=app.state.metrics)
    app.add_middleware(RequestIdMiddleware)
