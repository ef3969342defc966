"""Health: is the process alive, and is each of its parts able to work."""

from typing import Any

import structlog
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from runtime.metrics import PART_READY

_log = structlog.get_logger(__name__)


class Health:
    """What each part last said of itself. An alarm stays until the process is started anew."""

    def __init__(self) -> None:
        self._reasons: dict[str, str | None] = {}
        self._alarms: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._remarks: dict[str, str] = {}

    def set(self, part: str, reason: str | None) -> None:
        """Say that a part works (None), or why it does not."""
        if part in self._reasons and self._reasons[part] == reason:
            return
        self._reasons[part] = reason
        PART_READY.labels(part).set(part not in self.ready())
        if reason is None:
            _log.info("part is ready", part=part)
        else:
            _log.warning("part is not ready", part=part, reason=reason)

    def alarm(self, part: str, reason: str) -> None:
        """Say that a part has stopped for good: someone has to look. The first reason stands."""
        if part in self._alarms:
            return
        self._alarms[part] = reason
        PART_READY.labels(part).set(0)
        _log.error("alarm", part=part, reason=reason)

    def note(self, part: str, note: str | None) -> None:
        """Say of a part what does not keep it from working, or that there is nothing to say."""
        if note is None:
            self._notes.pop(part, None)
        else:
            self._notes[part] = note

    def forget(self, part: str) -> None:
        """A part is no more; an alarm that it gave stays."""
        if self._reasons.pop(part, "") != "" and part not in self._alarms:
            PART_READY.remove(part)
        self._notes.pop(part, None)

    def remark(self, what: str, reason: str | None) -> None:
        """Say what an operator may want to know although every part works; None takes it back."""
        if self._remarks.get(what) == reason:
            return
        if reason is None:
            del self._remarks[what]
            _log.info("remark taken back", what=what)
        else:
            self._remarks[what] = reason
            _log.warning("remark", what=what, reason=reason)
        PART_READY.labels(what).set(reason is None)

    def ready(self) -> dict[str, str]:
        """The parts that do not work, with the reason; empty when the process is ready."""
        waiting = {part: reason for part, reason in self._reasons.items() if reason is not None}
        return {**waiting, **self._alarms}

    def parts(self) -> dict[str, str]:
        """Every part: `ok`, or the reason why not; and what else there is to say."""
        working = {
            part: f"ok: {self._notes[part]}" if part in self._notes else "ok" for part in self._reasons
        }
        return {**working, **self._remarks, **self.ready()}


router = APIRouter(prefix="/health", tags=["process"])


def _told(**statuses: str) -> dict[str, Any]:
    """How OpenAPI shows an answer: its media type, with an example."""
    parts = {"decider": "ok" if statuses["status"] == "ready" else "Postgres does not answer"}
    example = statuses if statuses["status"] == "live" else {**statuses, "parts": parts}
    schema = {
        "type": "object",
        "required": [*example],
        "properties": {
            "status": {"type": "string"},
            "parts": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
    return {"content": {"application/json": {"schema": schema, "example": example}}}


@router.get("/live", summary="Whether the process lives", responses={200: _told(status="live")})
async def live() -> dict[str, str]:
    """Answers as long as the process does."""
    return {"status": "live"}


@router.get(
    "/ready",
    summary="Whether the process works",
    responses={
        200: _told(status="ready"),
        503: {
            "description": "A part does not work; `parts` says which and why",
            **_told(status="not_ready"),
        },
    },
)
async def ready(request: Request) -> JSONResponse:
    """200 when every part works, else 503; the reasons are in `parts`."""
    health: Health = request.app.state.health
    is_ready = not health.ready()
    body = {"status": "ready" if is_ready else "not_ready", "parts": health.parts()}
    return JSONResponse(body, status_code=200 if is_ready else 503)
