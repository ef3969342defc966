"""Why a process does not start, when the reason is one that its operator can act on."""

from aiokafka.errors import KafkaError

from runtime.log_setup import LogNotUsable
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured, StartupFailure, Unreachable


def failure_of(error: Exception, settings: Settings) -> StartupFailure | None:
    """The failure that an error amounts to; None for a bug, whose traceback is wanted."""
    match error:
        case StartupFailure():
            return error
        case LogNotUsable():
            return Misconfigured(str(error))
        case KafkaError():
            return Unreachable(f"Kafka at {settings.kafka_bootstrap} does not answer: {error}")
        case OSError():
            return Unreachable(f"{type(error).__name__}: {error}")
        case _:
            return None
