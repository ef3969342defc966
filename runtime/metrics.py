"""Every metric of Patternlog, and the page that Prometheus reads."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

HTTP_REQUESTS = Counter("patternlog_http_requests_total", "Requests answered", ("method", "route", "status"))
HTTP_SECONDS = Histogram(
    "patternlog_http_request_seconds",
    "Seconds from a request's head to the end of its answer",
    ("method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PART_READY = Gauge("patternlog_part_ready", "1 while a part of the process works, else 0", ("part",))
VOID_RECORDS = Counter(
    "patternlog_void_records_total", "Records passed over by the reader's rule", ("topic", "partition")
)
MALFORMED_RECORDS = Counter(
    "patternlog_malformed_records_total", "Records without the published shape", ("topic",)
)
PROJECTION_LAG = Gauge(
    "patternlog_projection_lag",
    "Records between a projection's checkpoint and the end of its topic",
    ("projection", "partition"),
)
RATE_LIMITED = Counter("patternlog_rate_limited_total", "Requests refused by a rate limit", ("budget",))
RATE_LIMITS_LOCAL = Counter(
    "patternlog_rate_limits_local_total", "Counts of a rate limit made without Redis, by this process alone"
)
ORGANIZATION_LAG = Gauge(
    "patternlog_organization_lag_seconds",
    "Seconds since the oldest event of an organization that not all its teams know; 0 without any",
)
ORGANIZATION_SECONDS = Histogram(
    "patternlog_organization_seconds",
    "Seconds from an organization's event to its being known in the last of its teams",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
ORGANIZATION_REFUSALS = Gauge(
    "patternlog_organization_refusals", "Teams that refuse what their organization says"
)
SECRET_RELOADS = Counter(
    "patternlog_secret_reloads_total", "Readings of the secrets: same, rotated or refused", ("result",)
)

router = APIRouter(tags=["process"])


_PAGE = {"schema": {"type": "string"}, "example": 'patternlog_part_ready{part="decider"} 1.0\n'}


@router.get(
    "/metrics",
    summary="The process's metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": _PAGE}, "description": "All metrics"}},
)
async def metrics() -> Response:
    """All metrics of this process, in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
