"""The edge: what stands between the network and the routes of every process."""

from collections.abc import Mapping, Sequence

from fastapi import FastAPI

from runtime.edge.body_limit import BodyLimit
from runtime.edge.body_time import BodyTime
from runtime.edge.bugs import Bugs
from runtime.edge.cross_origin import add_cross_origin
from runtime.edge.deprecations import Deprecation, deprecation_headers
from runtime.edge.hosts import AllowedHosts
from runtime.edge.response_headers import ResponseHeaders
from runtime.edge.security_headers import security_headers
from runtime.edge.versions import ApiVersions, version_header
from runtime.settings import Settings


def add_edge(
    app: FastAPI, settings: Settings, templates: Mapping[object, str], deprecated: Sequence[Deprecation]
) -> None:
    """Add the middlewares of the edge around those that are there; the last one sees a request first."""
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes, of_auth=settings.max_json_bytes)
    app.add_middleware(BodyTime, seconds=settings.body_timeout_s)
    app.add_middleware(ApiVersions)
    if hosts := frozenset(filter(None, settings.allowed_hosts.lower().replace(" ", "").split(","))):
        app.add_middleware(AllowedHosts, hosts=hosts)
    app.add_middleware(Bugs)
    add_cross_origin(app, settings)
    sources = [security_headers(settings.environment), version_header]
    if deprecated:
        sources.append(deprecation_headers(deprecated, templates))
    app.add_middleware(ResponseHeaders, sources=sources)
