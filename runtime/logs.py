"""Logs: one JSON object per line on stdout, for the project's own events and for every library's."""

import json
import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.settings import Settings

_SECRETS = (
    # scheme://user:password@host
    (re.compile(r'(://[^\s:/@"]*:)(?:\\.|[^\s@"\\])+(?=@)'), r"\1***"),
    (re.compile(r'(?i)\b(bearer\s+)[^\s"\\]+'), r"\1***"),
    (re.compile(r'(?i)("(?:authorization|password|token|secret|dsn)": *")(?:\\.|[^"\\])*'), r"\1***"),
)
_FIRST = ("timestamp", "level", "process", "event")


def configure(settings: Settings, process: str) -> None:
    """Send everything that this process logs to stdout as JSON, at the settings' level and above."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    common = _common(process)
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=_line),
            ],
        )
    )
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=level, handlers=[handler], force=True)


def redact(text: str) -> str:
    """The text without passwords in URLs, bearer tokens, and JSON members named like secrets."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


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


def _line(event: EventDict, **options: Any) -> str:
    event.pop("color_message", None)
    first = {name: event.pop(name) for name in _FIRST if name in event}
    # Settings keep secrets in SecretStr, so none should come this far; a library's message may still.
    return redact(json.dumps({**first, **event}, **options))
