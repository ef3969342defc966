"""Tell a run of the model in words: what each step was, and what it changed."""

from collections.abc import Iterator

from tests.model.records import Event, Fence, Log, Mark, Outcome, Record
from tests.model.state import Decider, State


def tell(run: list[tuple[str, State]]) -> str:
    """Tell a whole run, one numbered step to a line, its changes indented below it."""
    lines, before = [], run[0][1]
    for number, (what, state) in enumerate(run):
        lines.append(f"{number:3}. {what}")
        lines.extend(f"       {change}" for change in changes(before, state))
        before = state
    return "\n".join(lines)


def changes(before: State, after: State) -> Iterator[str]:
    """Say what one step changed."""
    yield from appended("events", before.events, after.events)
    yield from appended("outcomes", before.outcomes, after.outcomes)
    yield from (activity(decider) for decider in after.deciders if decider not in before.deciders)
    for what, was, now in (
        ("the checkpoint of the heads is now", before.heads, after.heads),
        ("the checkpoint of the outcomes is now", before.answered, after.answered),
        ("[outcomes] begin at", before.trimmed, after.trimmed),
    ):
        if was != now:
            yield f"{what} {now}"


def appended(topic: str, before: Log, after: Log) -> Iterator[str]:
    """Say what was appended to a topic, with its offsets."""
    for offset, record in enumerate(after[len(before) :], len(before)):
        yield f"[{topic}] {offset} = {describe(record)}"


def activity(decider: Decider) -> str:
    """Say what a process is about now."""
    if decider.writer == 0:
        return "the creator is done" if decider.creator else "the decider stands down"
    if decider.pending is None:
        return f"W{decider.writer} is ready for command {decider.next}"
    if decider.landed >= 0:
        return f"the broker gave W{decider.writer} offset {decider.landed}"
    batch = " + ".join(describe(record) for record in decider.pending.records)
    return f"W{decider.writer} sends to [{decider.pending.topic}]: {batch}"


def describe(record: Record) -> str:
    """Say in a few words what a record is and who wrote it."""
    by = f"term {record.term}, W{record.writer}"
    match record:
        case Fence():
            return f"fence({by})"
        case Event():
            return f"event({by}: command {record.command}, sequence {record.sequence})"
        case Outcome():
            answer = "accepted" if record.accepted else "refused"
            return f"outcome({by}: command {record.command} {answer}, end {record.end})"
        case Mark():
            return f"mark({by}: next command {record.next}, end {record.end})"
