"""Which logs get a head now: those without any, and those that grew by so much, or so long ago."""

from collections.abc import Sequence

from projectors.notary.stored_tree import Grown


class Schedule:
    """Since when each log has lacked a head of what it grew by; times are monotonic, in seconds."""

    def __init__(self, *, events: int, patience_s: float) -> None:
        self._events = events
        self._patience_s = patience_s
        self._since: dict[str, float] = {}

    def due(self, grown: Sequence[Grown], now: float) -> list[Grown]:
        """Those of all logs that have grown that are to be signed now."""
        self._since = {one.team_id: self._since.get(one.team_id, now) for one in grown}
        return [one for one in grown if self._is_due(one, now)]

    def signed(self, team_id: str) -> None:
        """A log has a head: its time begins anew, also if it has grown meanwhile."""
        self._since.pop(team_id, None)

    def _is_due(self, one: Grown, now: float) -> bool:
        return (
            one.size == 0
            or one.tree_size - one.size >= self._events
            or now - self._since[one.team_id] >= self._patience_s
        )
