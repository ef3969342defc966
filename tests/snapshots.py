"""What Postgres holds for a decider, without Postgres."""

from command_api.decider.conditional_log import Point
from command_api.decider.snapshot import Snapshot
from events.readers_rule import NO_ONE


def snapshot(heads: int = 0, outcomes: int = 0, **rows: object) -> Snapshot:
    """Rows at these checkpoints; what is not given has none."""
    kinds = ("states", "versions", "events", "names", "logs", "answers")
    empty: dict[str, object] = {kind: {} for kind in kinds}
    return Snapshot(
        heads_checkpoint=Point(offset=heads, standing=NO_ONE),
        outcomes_checkpoint=Point(offset=outcomes, standing=NO_ONE),
        position=None,
        **{**empty, **rows},  # type: ignore[arg-type]
    )
