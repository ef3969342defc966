"""The one shape of every process: an ASGI app with health, metrics, problems, and parts with a lifetime."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from runtime import health, metrics, problems
from runtime.authentication import Authentication
from runtime.body_limit import BodyLimit
from runtime.cut_off import CutOff
from runtime.health import Health
from runtime.http_metrics import HttpMetrics, templates_of
from runtime.openapi import PROBLEMS, DescribedApp
from runtime.request_ids import RequestIds
from runtime.settings import Settings
from runtime.workers import Workers

Part = Callable[[FastAPI, Settings, Health], AbstractAsyncContextManager[None]]
"""Something that works as long as the process does; it leaves what its routes need on `app.state`."""


def build_app(title: str, settings: Settings, routers: Sequence[APIRouter], parts: Sequence[Part]) -> FastAPI:
    """An app of these routes, with `parts` started in order and stopped in reverse.

    `app.state` carries `settings`, `health` and `workers`; a part that knows who asks adds `authenticator`.
    """
    app = DescribedApp(
        title=title, version=version("patternlog"), lifespan=_lifespan(settings, parts), responses=PROBLEMS
    )
    app.state.settings = settings
    app.state.health = Health()
    problems.install(app)
    # Routes are tried in order: the ones that have to be fast come first.
    for router in (*routers, health.router, metrics.router):
        app.include_router(router)
    # The last one added is the first to see a request.
    app.add_middleware(CutOff)
    app.add_middleware(Authentication)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    access_log = settings.log_level.upper() == "DEBUG"
    app.add_middleware(HttpMetrics, templates=templates_of(app), access_log=access_log)
    app.add_middleware(RequestIds)
    return app


def _lifespan(
    settings: Settings, parts: Sequence[Part]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.workers = workers = Workers()
        async with AsyncExitStack() as running:
            running.push_async_callback(workers.stop)
            for part in parts:
                await running.enter_async_context(part(app, settings, app.state.health))
            yield
            workers.stopping = True

    return lifespan
