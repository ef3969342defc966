"""The one shape of every process: an ASGI app with health, metrics, problems, and parts with a lifetime."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from runtime import health, metrics, problems
from runtime.authentication import Authentication
from runtime.cut_off import CutOff
from runtime.edge.deprecations import DEPRECATED, Deprecation
from runtime.edge.install import add_edge
from runtime.edge.proxies import add_proxies
from runtime.edge.security_headers import DOCS_PATH
from runtime.health import Health
from runtime.http_metrics import HttpMetrics, templates_of
from runtime.openapi.app import DescribedApp
from runtime.rate_limits.limiting import are_limited, rate_limits_part
from runtime.rate_limits.middleware import RateLimits
from runtime.request_ids import RequestIds
from runtime.secrets.reloading import SettingsSource
from runtime.settings import Environment, Settings
from runtime.workers import Workers

Part = Callable[[FastAPI, Settings, Health], AbstractAsyncContextManager[None]]
"""Something that works as long as the process does; it leaves what its routes need on `app.state`."""


def build_app(
    title: str,
    settings: Settings,
    routers: Sequence[APIRouter],
    parts: Sequence[Part],
    deprecated: Sequence[Deprecation] = DEPRECATED,
) -> FastAPI:
    """An app of these routes, with `parts` started in order and stopped in reverse.

    `app.state` carries `settings`, `settings_source`, `health` and `workers`; a part that knows who asks adds
    `authenticator`.
    """
    limiting = [rate_limits_part] if are_limited(settings) and routers else []
    app = DescribedApp(
        title=title,
        version=version("patternlog"),
        lifespan=_lifespan(settings, [*limiting, *parts]),
        # Its program comes from elsewhere, which is for the developer's own machine alone.
        docs_url=DOCS_PATH if settings.environment is Environment.DEVELOPMENT else None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.settings = settings
    # Of a process it is replaced by one that reads secrets anew.
    app.state.settings_source = SettingsSource(settings)
    app.state.health = Health()
    problems.install(app)
    # Routes are tried in order: the ones that have to be fast come first.
    for router in (*routers, health.router, metrics.router):
        app.include_router(router)
    _add_middleware(app, settings, deprecated)
    return app


def _add_middleware(app: FastAPI, settings: Settings, deprecated: Sequence[Deprecation]) -> None:
    """The last one added is the first to see a request."""
    app.add_middleware(CutOff)
    app.add_middleware(RateLimits)
    app.add_middleware(Authentication)
    templates = templates_of(app)
    add_edge(app, settings, templates, deprecated)
    access_log = settings.log_level.upper() == "DEBUG"
    app.add_middleware(HttpMetrics, templates=templates, access_log=access_log)
    app.add_middleware(RequestIds)
    add_proxies(app, settings)


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
