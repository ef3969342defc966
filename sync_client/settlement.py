"""Settling: what the server answered is written down with all that follows from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from events.cursor import Cursor
from events.shapes import utc_text
from sync_client.dispatch import Outgoing
from sync_client.errors import UnexpectedAnswer
from sync_client.local_pattern import Confirmed, Declined, Stage, Verdict
from sync_client.local_store import LocalStore, Origin
from sync_client.outbox import TEAM
from sync_client.replica import Replica
from sync_client.wire import Accepted, Answer, Conflicting, Rejected, read_cursor

Outcome = Accepted | Conflicting | Rejected


@dataclass(frozen=True, kw_only=True, slots=True)
class PushReport:
    """What became of what was sent; `unanswered` went out, and its fate will be asked for again.

    What built on a command that was not accepted is `held_up` until that one is dealt with.
    """

    batches: int = 0
    accepted: int = 0
    merged: int = 0
    conflicts: int = 0
    refused: int = 0
    held_up: int = 0
    unanswered: int = 0

    @property
    def answered(self) -> int:
        """How many commands have an outcome."""
        return self.accepted + self.merged + self.conflicts + self.refused + self.held_up


class Settlement:
    """Keeps outcomes, each exactly once, and counts them."""

    def __init__(self, replica: Replica, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._store = LocalStore(replica.connection)
        self._now = now
        self.report = PushReport()

    def keep(self, batch: Sequence[Outgoing], answers: Mapping[str, Answer]) -> None:
        """Write outcomes with all that follows from them, in one transaction."""
        report = self.report
        with self._replica.transaction():
            for command in batch:
                answer = answers.get(command.command_id)
                if answer is not None and answer.status != "pending":
                    stage = self._settle(command, answer)
                    report = _counted(report, answer, stage)
        self.report = report

    def _settle(self, command: Outgoing, answer: Outcome) -> Stage:
        """Write an outcome; where it leaves the command."""
        at = utc_text(self._now())
        # Read your writes: a conflict is one, too.
        same_log = self._note_written(answer.cursor) if not isinstance(answer, Rejected) else False
        payload: Confirmed | Declined
        if isinstance(answer, Accepted):
            exact = same_log and answer.status == "accepted"
            payload = Confirmed(position=command.position, version=answer.version, exact=exact)
        else:
            payload = Declined(
                position=command.position, verdict=Verdict(code=answer.code, detail=answer.detail)
            )
        if command.pattern_id == TEAM:
            stage = Stage.DONE if isinstance(payload, Confirmed) else payload.verdict.stage
            self._store.outbox.close_team_command(command.position, stage, asdict(answer), at)
            return stage
        origin = Origin(
            sequence=answer.sequence if isinstance(answer, Accepted) else None,
            position=command.position,
            outcome=asdict(answer),
            at=at,
        )
        entries = self._store.merge(command.pattern_id, payload, origin).state.entries
        return next(entry.stage for entry in entries if entry.position == command.position)

    def _note_written(self, text: str) -> bool:
        """Remember how far our writes have come; whether that is in the log that the replica follows."""
        cursor = read_cursor(text)
        if cursor.team_id != self._replica.get("team_id"):
            raise UnexpectedAnswer("the outcome is another team's")
        known = self._replica.get("log_id")
        written = self._replica.get("written")
        if known is None:
            self._replica.put("log_id", cursor.log_id)
        if not written or not _is_behind(cursor, read_cursor(written)):
            self._replica.put("written", str(cursor))
        return known in (None, cursor.log_id)


def _is_behind(cursor: Cursor, other: Cursor) -> bool:
    return cursor.log_id == other.log_id and cursor.sequence <= other.sequence


def is_open(answer: Answer | None) -> bool:
    """Whether a command was answered, but not with an outcome."""
    return answer is not None and answer.status == "pending"


def _counted(report: PushReport, answer: Outcome, stage: Stage) -> PushReport:
    match answer.status:
        case "accepted":
            return replace(report, accepted=report.accepted + 1)
        case "merged":
            return replace(report, merged=report.merged + 1)
        case "conflict":
            return replace(report, conflicts=report.conflicts + 1)
        case "rejected" if stage is Stage.PENDING:
            return replace(report, held_up=report.held_up + 1)
        case "rejected":
            return replace(report, refused=report.refused + 1)
