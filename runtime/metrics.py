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
SECRET_RELOADS = Counter(
    "patternlog_secret_reloads_total", "Readings of the secrets: same, rotated or refused", ("result",)
)

router = APIRouter(tags=["process"])


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """All metrics of this process, in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
