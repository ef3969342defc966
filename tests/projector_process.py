"""A projector as a process of its own, to be killed, stopped and continued."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI

from projectors.part import projector_part
from runtime.service import run
from runtime.settings import Settings
from runtime.web import build_app

_ROOT = Path(__file__).parent.parent


@contextmanager
def projector_process(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A running projector; killed at the end if it still runs. What it says goes to `log`."""
    environment = {**os.environ, **_variables(settings), "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", "tests.projector_process"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, cwd=log.parent, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


def _variables(settings: Settings) -> dict[str, str]:
    return {
        "PATTERNLOG_ENVIRONMENT": settings.environment.value,
        "PATTERNLOG_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "PATTERNLOG_POSTGRES_DSN": settings.postgres_dsn.get_secret_value(),
        "PATTERNLOG_TOPIC_PREFIX": settings.topic_prefix,
        "PATTERNLOG_LOG_PARTITIONS": str(settings.log_partitions),
        "PATTERNLOG_PROJECTOR_BATCH": str(settings.projector_batch),
        "PATTERNLOG_WATCHDOG_S": str(settings.watchdog_s),
        "PATTERNLOG_PORT": "0",
    }


def _app(settings: Settings) -> FastAPI:
    return build_app("projector", settings, [], [projector_part])


if __name__ == "__main__":
    sys.exit(run(_app, Settings(), "projector"))
