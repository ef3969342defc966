"""Running what `patternlog serve` names."""

from functools import partial

from runtime.service import run
from runtime.settings import Settings
from server.apps import app_of
from server.everything import serve_all
from server.lifeline import end_with_parent
from server.process import Process

_MARGIN_S = 5.0
"""What a process may take over its own limit when its supervisor is gone."""


def serve(process: Process, settings: Settings, *, supervised: bool) -> int:
    """Serve until SIGTERM or SIGINT, or until stdin ends if `supervised`; the exit code."""
    if process is Process.ALL:
        return serve_all(settings)
    if supervised:
        end_with_parent(settings.shutdown_s + _MARGIN_S)
    return run(partial(app_of, process), settings, process.value)
