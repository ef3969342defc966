"""Which partitions have not moved for too long, though their log goes on."""


class Pulses:
    """Told where each partition stands from time to time; seconds are those of a monotonic clock."""

    def __init__(self, patience_s: float) -> None:
        self.stuck: set[int] = set()
        self._patience_s = patience_s
        self._seen: dict[int, tuple[int, float]] = {}

    def is_overdue(self, partition: int, offset: int, lag: int, now: float) -> bool:
        """Whether a partition that is behind has stood still for longer than our patience."""
        before, since = self._seen.get(partition, (-1, now))
        if lag == 0 or offset != before:
            self._seen[partition] = (offset, now)
            self.stuck.discard(partition)
            return False
        if now - since <= self._patience_s:
            return False
        self.stuck.add(partition)
        return True

    def begin_anew(self, now: float) -> None:
        """Give every partition its time again; a stuck one counts as stuck until it moves."""
        self._seen = {partition: (offset, now) for partition, (offset, _) in self._seen.items()}

    def forget(self, partition: int) -> None:
        """A partition is no longer ours."""
        self._seen.pop(partition, None)
        self.stuck.discard(partition)

    @property
    def partitions(self) -> set[int]:
        """The partitions that it was told of."""
        return set(self._seen)
