"""One pattern as a client holds it, the news that can come for it, and how a merge can end."""

from dataclasses import dataclass
from enum import StrEnum

from command_api.decisions.commands import PatternCommand
from command_api.decisions.refusals import Refusal, Rejected
from events.pattern import NoPattern, PatternState


class Stage(StrEnum):
    """Where a command is on its way."""

    PENDING = "pending"
    """Never sent."""
    SENT = "sent"
    """Sent at least once; its fate is unknown."""
    ACCEPTED = "accepted"
    """Answered, but not yet seen in the confirmed state."""
    DONE = "done"
    """Part of the confirmed state."""
    CONFLICT = "conflict"
    """A draft: the server found that somebody else changed fields that it edits, and noted the conflict."""
    REFUSED = "refused"
    """A draft: refused for another reason."""


DRAFTS = (Stage.CONFLICT, Stage.REFUSED)
UNSETTLED = (Stage.SENT, Stage.ACCEPTED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Why a command became a draft."""

    code: str
    detail: str

    @property
    def stage(self) -> Stage:
        """Where it leaves the command."""
        return Stage.CONFLICT if self.code == Refusal.EDIT_CONFLICT else Stage.REFUSED


def verdict_of(decision: Rejected) -> Verdict:
    """The verdict that a refusal amounts to."""
    return Verdict(code=decision.code, detail=decision.detail)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A command in the outbox. `after` is the entry that it builds on, `version` what it was accepted as.

    `base_command` is the id that it was sent with in place of its base version, which then tells us alone
    what its author saw. `resolves` is the draft whose conflict it ends. What is `hidden` is not in the view.
    """

    position: int
    command: PatternCommand
    stage: Stage = Stage.PENDING
    after: int | None = None
    version: int | None = None
    verdict: Verdict | None = None
    base_command: str | None = None
    resolves: int | None = None
    hidden: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalPattern:
    """What the server confirmed, the commands on it in order, and what the user sees.

    Of what is confirmed, `field_versions` tell of the fields that changed since the oldest command kept here.
    """

    confirmed: PatternState = NoPattern()
    entries: tuple[Entry, ...] = ()
    view: PatternState = NoPattern()


# ---------------------------------------------------------------- news


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulled:
    """The server's state of the pattern, with empty `field_versions`."""

    confirmed: PatternState


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """The same, from another log: versions seen before mean nothing any more."""

    confirmed: PatternState


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmed:
    """The server accepted a command as this version; `exact` if it became just what the command says."""

    position: int
    version: int
    exact: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Declined:
    """The server refused a command, or found a conflict."""

    position: int
    verdict: Verdict


Payload = Pulled | Rebuilt | Confirmed | Declined

# ---------------------------------------------------------------- results


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """The confirmed state moved, and nothing local stands on it."""

    state: LocalPattern


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebase:
    """What is pending was replayed, and still applies."""

    state: LocalPattern


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Some commands cannot be applied any more: they became these drafts, and are kept."""

    state: LocalPattern
    drafts: tuple[Entry, ...]


MergeResult = Advance | Rebase | Conflict
