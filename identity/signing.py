"""How tokens are signed at this moment: the settings may be replaced while the process runs."""

from collections.abc import Callable

import structlog

from identity.access_tokens import TokenFormat
from identity.token_keys import key_ring
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured

_log = structlog.get_logger(__name__)


class Signing:
    """Follows the settings; raise `Misconfigured` when made without a key."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._seen = settings()
        self._format = format_of(self._seen)

    def current(self) -> TokenFormat:
        """The keys and names in use; the same object for as long as they stay the same."""
        now = self._settings()
        if now is not self._seen:
            self._seen = now
            try:
                self._replace(format_of(now))
            except Misconfigured as failure:
                _log.error("the keys of access tokens stay as they were", reason=str(failure))
        return self._format

    @property
    def life_s(self) -> int:
        """Seconds for which a new token is good."""
        return self._settings().access_token_s

    def _replace(self, found: TokenFormat) -> None:
        is_same = (tuple(found.ring.by_kid), found.issuer, found.audience, found.leeway_s) == (
            *(tuple(self._format.ring.by_kid), self._format.issuer),
            *(self._format.audience, self._format.leeway_s),
        )
        if not is_same:
            self._format = found
            _log.info("the keys of access tokens are replaced", kids=list(found.ring.by_kid))


def format_of(settings: Settings) -> TokenFormat:
    """Keys and names of the settings; raise `Misconfigured`."""
    return TokenFormat(
        ring=key_ring(settings),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        leeway_s=settings.token_leeway_s,
    )
