"""Logs are one JSON object per line, whoever logs, and hold no secrets."""

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from faststream.kafka import KafkaBroker

from runtime.logs import configure, redact
from runtime.startup_failures import Misconfigured
from tests.web import development


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.err == ""
    return [json.loads(line) for line in captured.out.splitlines()]


def test_an_event_is_one_json_object_with_its_origin(capsys: pytest.CaptureFixture[str]) -> None:
    configure(development(), "decider")
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger("some.module").info("it happened", partition=3)
    (line,) = lines(capsys)
    assert list(line)[:4] == ["timestamp", "level", "process", "event"]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "process": "decider",
        "event": "it happened",
        "request_id": "r-1",
        "partition": 3,
        "logger": "some.module",
    }


def test_a_library_s_warning_goes_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure(development(), "decider")
    structlog.contextvars.bind_contextvars(request_id="r-2")
    logging.getLogger("aiokafka.consumer").warning("no %s", "broker", extra={"node": 1})
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["node"]) == ("no broker", "warning", 1)
    assert (line["process"], line["request_id"]) == ("decider", "r-2")


def test_an_exception_is_on_its_event_s_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(development(), "decider")
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("uvicorn.error").exception("failed too")
    ours, theirs = lines(capsys)
    assert ours["exception"].endswith("ValueError: why")
    assert theirs["exception"].endswith("ValueError: why")


@pytest.mark.parametrize(("library", "level"), [("aiokafka.conn", "warning"), ("asyncio", "error")])
def test_what_aiokafka_tries_again_is_no_error(
    capsys: pytest.CaptureFixture[str], library: str, level: str
) -> None:
    configure(development(), "decider")
    logging.getLogger(library).error("Group Coordinator Request failed")
    (line,) = lines(capsys)
    assert line["level"] == level


def test_python_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure(development(), "decider")
    warnings.simplefilter("always")
    warnings.warn("mind this", stacklevel=1)
    (line,) = lines(capsys)
    assert "mind this" in line["event"]
    assert line["level"] == "warning"


async def test_faststream_has_no_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    configure(development(), "projector")
    broker = KafkaBroker("127.0.0.1:1")
    broker.config.logger._setup(broker.context)
    broker.config.logger.log("assigned", logging.WARNING)
    (line,) = lines(capsys)
    assert (line["event"], line["process"]) == ("assigned", "projector")


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [("DEBUG", 4, 3), ("info", 3, 2), ("WARNING", 2, 2), ("ERROR", 1, 1)],
)
def test_libraries_say_a_step_less_than_we_do(
    capsys: pytest.CaptureFixture[str], level: str, ours: int, theirs: int
) -> None:
    configure(development(log_level=level), "decider")
    for logger in (structlog.get_logger("ours"), logging.getLogger("aiokafka.theirs")):
        for say in (logger.debug, logger.info, logger.warning, logger.error):
            say("hear")
    names = [line["logger"] for line in lines(capsys)]
    assert (names.count("ours"), names.count("aiokafka.theirs")) == (ours, theirs)


def test_an_unknown_level_is_a_misconfiguration() -> None:
    with pytest.raises(Misconfigured, match="PATTERNLOG_LOG_LEVEL: 'LOUD'"):
        configure(development(log_level="LOUD"), "decider")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql://app:hunter2@db:5432/x", "postgresql://app:***@db:5432/x"),
        ("redis://:hunter2@cache", "redis://:***@cache"),
        ('"postgresql://app:hun\\"ter2@db"', '"postgresql://app:***@db"'),
        ("Authorization: Bearer hunter2 was sent", "Authorization: Bearer *** was sent"),
        ('{"token": "hunter2", "n": 1}', '{"token": "***", "n": 1}'),
        ('{"authorization": "dev \\"hunter2"}', '{"authorization": "***"}'),
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8080/docs", "user@example.org: hello", "a bearer", "1:2@3"]
)
def test_the_rest_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_no_secret_gets_into_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(development(), "gateway")
    dsn = "postgresql://app:hunter2@db/x"
    structlog.get_logger().error("failed", dsn=dsn, headers={"authorization": "Bearer hunter2"})
    logging.getLogger("sqlalchemy").error("cannot connect to %s", dsn)
    structlog.get_logger().info("settings", settings=development())
    try:
        raise ConnectionError(dsn)
    except ConnectionError:
        structlog.get_logger().exception("failed")
    captured = capsys.readouterr().out
    assert len(captured.splitlines()) == 4
    assert "hunter2" not in captured
