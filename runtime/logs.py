"""Logs: one JSON object per line on stdout, for the project's own events and for every library's."""

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.secrets.masking import Masking
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured

_LIBRARIES = ("aiokafka", "alembic", "asyncio", "faststream", "httpcore", "httpx", "sqlalchemy", "uvicorn")
_OWN_HANDLERS = ("faststream", "faststream.access.kafka")
"""Loggers that bring a handler of their own unless they find one for stdout."""
_FIRST = ("timestamp", "level", "process", "event")


def configure(settings: Settings, process: str) -> None:
    """Send everything that this process logs to stdout as JSON, at the settings' level and above.

    Libraries say a step less: WARNING and above, or INFO at the settings' DEBUG.
    """
    level = _level(settings)
    common = _common(process)
    line = _line(Masking(settings.latest))
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=level, handlers=[_handler(common, level, line)], force=True)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(_library_level(level))
    for name in _OWN_HANDLERS:
        logging.getLogger(name).handlers = [_handler(common, _library_level(level), line)]


def _level(settings: Settings) -> int:
    level = logging.getLevelNamesMapping().get(settings.log_level.upper())
    if level is None:
        raise Misconfigured(f"PATTERNLOG_LOG_LEVEL: {settings.log_level!r} is no level")
    return level


def _library_level(level: int) -> int:
    return logging.INFO if level <= logging.DEBUG else max(level, logging.WARNING)


def _handler(common: list[Processor], level: int, line: Callable[..., str]) -> logging.Handler:
    handler = logging.StreamHandler(sys.stdout)
    handler.setLevel(level)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, _as_warning, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=line),
            ],
        )
    )
    return handler


def _common(process: str) -> list[Processor]:
    def name_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        name_process,
    ]


def _as_warning(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """What aiokafka calls an error it tries again; health and our own log tell what does not pass."""
    if event["level"] == "error" and event["logger"].startswith("aiokafka"):
        event["level"] = "warning"
    return event


def _line(masking: Masking) -> Callable[..., str]:
    def line(event: EventDict, **options: Any) -> str:
        event.pop("color_message", None)
        first = {name: event.pop(name) for name in _FIRST if name in event}
        # Settings keep secrets in SecretStr, so none should come this far; a library's message may still.
        return masking.masked(json.dumps({**first, **event}, **options))

    return line
