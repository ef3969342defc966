"""A service that can't start says why, also when it is one of several."""

import pytest

from devstack.errors import ServiceStartFailed
from devstack.services import Services


def test_the_reason_of_a_failed_start_is_not_hidden_by_the_end_of_the_others() -> None:
    settings = {
        "PATTERNLOG_ENVIRONMENT": "production",
        "PATTERNLOG_POSTGRES_DSN": "postgresql://nobody@127.0.0.1/x",
    }
    with pytest.raises(ServiceStartFailed, match="it ended with exit code"), Services(settings) as services:
        services.start("gateway", "decider")
