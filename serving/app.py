"""The API, assembled: `uvicorn --factory serving.app:create_app`.

Importing this module does nothing. An app answers `/health/live` as soon as it runs, opens
its library in the background, and never works on the event loop.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from anyio.to_thread import run_sync
from fastapi import FastAPI

from alexandria.adapters.rate_limits import RateLimiter
from alexandria.adapters.tracing import install_tracing
from alexandria.production import check_production
from alexandria.settings import Settings
from alexandria.workflows.identity.single_sign_on import Providers
from alexandria.workflows.insights.emitting import UsageEmitter
from alexandria.workflows.workspace import Workspace
from serving.admission.envelope import enclose
from serving.admission.families import Families
from serving.admission.identity import Doorkeeper
from serving.admission.limits import LimitMiddleware, RequestLimits
from serving.errors import install_error_handlers
from serving.library import Library
from serving.openapi import install_openapi
from serving.routes import analytics, docs, documents, health, images, pages, query
from serving.routes.identity import audit, auth, keys, profile, single_sign_on, users
from serving.routes.identity import settings as tenant_settings
from serving.telemetry.logs import install_logs
from serving.telemetry.metrics import Metrics, MetricsMiddleware
from serving.telemetry.reporting import report_request

JSON_BODY_BYTES = 256 * 1024
MULTIPART_BYTES = 64 * 1024
"""What multipart adds to a file, at most."""

DESCRIPTION = (
    "Ask a library of documents and see where every answer came from. Every error has the "
    "same body, problem details as in RFC 9457, and every response names its request in "
    "`X-Request-ID`."
)
_FAMILIES = (
    query,
    documents,
    images,
    single_sign_on,
    users,
    audit,
    tenant_settings,
    profile,
    auth,
    keys,
    health,
    docs,
)


def create_app(settings: Settings | None = None, workspace: Workspace | None = None) -> FastAPI:
    """Build an app that serves the library of `settings`, or a workspace that is open.

    Args:
        settings: What to open; read from the environment if neither is given.
        workspace: Served as it is and not closed; its settings hold.
    """
    chosen = workspace.settings if workspace else settings or Settings()
    check_production(chosen)
    app = FastAPI(
        title="Alexandria",
        version="2",
        summary="A library that answers and proves where every answer came from.",
        description=DESCRIPTION,
        lifespan=_serve,
        docs_url=None,
        redoc_url=None,
    )
    library = app.state.library = Library(chosen, workspace)
    app.state.doorkeeper = Doorkeeper(library)
    app.state.providers = Providers(chosen)
    app.state.metrics = Metrics()
    app.state.limits = RequestLimits(RateLimiter(library.door), chosen)
    app.state.usage = UsageEmitter(
        library.door,
        size=chosen.analytics_buffer_size,
        interval=chosen.analytics_flush_interval,
    )
    app.state.pages = pages.page_files()
    app.state.families = Families()
    _add_routes(app)
    install_error_handlers(app)
    install_openapi(app)
    _add_middleware(app, chosen)
    return app


def _add_routes(app: FastAPI) -> None:
    """Everything there is to ask for; earlier clients know the routes of `auth` below `/api`."""
    families: Families = app.state.families
    families.add(*(module.router for module in _FAMILIES))
    families.add(analytics.router, analytics.admin_router, health.metrics_router)
    app.router.routes.append(families)
    app.mount("/pages", app.state.pages, name="pages")
    app.mount("/api", auth.router)
    app.include_router(pages.router)


@asynccontextmanager
async def _serve(app: FastAPI) -> AsyncGenerator[None]:
    library: Library = app.state.library
    install_logs(library.settings)
    stop_tracing = install_tracing(library.settings)
    library.start()
    async with AsyncExitStack() as stack:  # each of them is done, whatever becomes of the others
        for close in (stop_tracing, library.close, app.state.usage.close):
            stack.push_async_callback(run_sync, close)
        yield


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """The last one added is the outermost, but for what encloses them all."""
    app.add_middleware(LimitMiddleware, limits=app.state.limits, doorkeeper=app.state.doorkeeper)
    app.add_middleware(MetricsMiddleware, metrics=app.state.metrics, report=report_request)
    most = settings.max_file_bytes + MULTIPART_BYTES
    limits = {
        documents.UPLOAD_PATH: most,
        images.UPLOAD_PATH: min(most, images.PICTURE_BYTES + MULTIPART_BYTES),
        images.SEARCH_PATH: images.PICTURE_BYTES + MULTIPART_BYTES,
    }
    enclose(app, settings, JSON_BODY_BYTES, limits)
