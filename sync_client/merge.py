"""What becomes of one pattern's local edits when news comes: pure, no clock, no I/O.

    confirmed ──C1──C2──C3──►  view          C2 builds on C1, C3 on C2 (`after`)
        ▲         pending commands, replayed through the `decide` of the server
        └── moved by what is pulled, and by our own commands as they are accepted

Invariants
 1. A command is never lost: it is DONE only when its effect is in the confirmed state.
 2. What was sent never changes: the same id always carries the same body.
 3. A command whose fate is unknown (SENT) is judged by the server alone; what builds on it waits.
 4. `base_version` is what the editor had seen. When the command that it builds on is confirmed, the base
    moves to that version, unless somebody else changed one of its fields meanwhile: that is a conflict.

The confirmed state's `field_versions` hold foreign changes only: fields that somebody else changed since the
oldest command kept here. One's own edits are no reason for a conflict with oneself.
"""

from dataclasses import replace
from typing import assert_never

from command_api.decisions.commands import EditPattern
from command_api.decisions.refusals import Accepted, Refusal
from events.pattern import NoPattern, Pattern, PatternState
from sync_client.foreign import differing, fields_after, foreign_fields
from sync_client.local_pattern import (
    DRAFTS,
    Advance,
    Confirmed,
    Conflict,
    Declined,
    Entry,
    LocalPattern,
    MergeResult,
    Payload,
    Pulled,
    Rebase,
    Rebuilt,
    Stage,
    Verdict,
    verdict_of,
)
from sync_client.replay import Holders, Replay, based_on, decide_on, evolved, forced


def merge(state: LocalPattern, payload: Payload, holders: Holders) -> MergeResult:
    """The state after the news, every command judged anew that may be."""
    match payload:
        case Pulled():
            moved = _pulled(state, payload.confirmed)
        case Rebuilt():
            moved = _rebuilt(state, payload.confirmed)
        case Confirmed():
            moved = _accepted(state, payload)
        case Declined():
            moved = _changed(state, payload.position, stage=payload.verdict.stage, verdict=payload.verdict)
        case _:
            assert_never(payload)
    return _result(state, _judged(_settled(moved), holders))


def propose(state: LocalPattern, entry: Entry, holders: Holders) -> LocalPattern | Verdict:
    """The state with one more local command on top of its view, or why the library refuses it."""
    decision = decide_on(state.view, entry.command, holders)
    if not isinstance(decision, Accepted):
        return verdict_of(decision)
    view = evolved(state.view, decision)
    return LocalPattern(confirmed=state.confirmed, entries=(*state.entries, entry), view=view)


# ---------------------------------------------------------------- one function per payload


def _pulled(state: LocalPattern, new: PatternState) -> LocalPattern:
    if new.version <= state.confirmed.version or isinstance(new, NoPattern):
        return state
    if not isinstance(new, Pattern):
        return replace(state, confirmed=new)
    foreign = dict.fromkeys(foreign_fields(state, new), new.version)
    known = state.confirmed.field_versions if isinstance(state.confirmed, Pattern) else {}
    return replace(state, confirmed=replace(new, field_versions={**known, **foreign}))


def _rebuilt(state: LocalPattern, new: PatternState) -> LocalPattern:
    foreign = foreign_fields(state, new) if isinstance(new, Pattern) else set()
    entries = tuple(_translated(entry, new, foreign) for entry in state.entries)
    return replace(state, confirmed=new, entries=entries)


def _translated(entry: Entry, new: PatternState, foreign: set[str]) -> Entry:
    """An entry in terms of the new log: its old versions name nothing there."""
    if entry.stage is Stage.ACCEPTED:
        return replace(entry, stage=Stage.DONE, version=new.version)
    if not isinstance(entry.command, EditPattern):
        return entry
    if entry.stage is Stage.SENT:
        return _of_lost_fate(entry, entry.command, new)
    overlap = sorted(foreign & {*entry.command.set, *entry.command.remove})
    if overlap and entry.stage is Stage.PENDING:
        detail = f"differs in the server's new log: {', '.join(overlap)}"
        return _draft(entry, Verdict(code=Refusal.EDIT_CONFLICT, detail=detail, fields=tuple(overlap)))
    return replace(entry, command=based_on(entry.command, new.version))


def _of_lost_fate(entry: Entry, command: EditPattern, new: PatternState) -> Entry:
    """An edit that the old log may have had. Its base is no version of the new one, and its body is fixed."""
    fields = new.fields if isinstance(new, Pattern) else {}
    if isinstance(new, Pattern) and not differing(fields_after(fields, [command]), fields):
        return replace(entry, stage=Stage.DONE, version=new.version)
    detail = "the server's log became another one before it answered; make the edit again if it is missing"
    return _draft(entry, Verdict(code="log_changed", detail=detail))


def _draft(entry: Entry, verdict: Verdict) -> Entry:
    return replace(entry, stage=verdict.stage, verdict=verdict)


def _accepted(state: LocalPattern, news: Confirmed) -> LocalPattern:
    accepted = _changed(state, news.position, stage=Stage.ACCEPTED, version=news.version)
    follows = news.version == state.confirmed.version + 1
    if not (news.exact and follows):
        return accepted
    command = next(entry.command for entry in state.entries if entry.position == news.position)
    return replace(accepted, confirmed=forced(state.confirmed, command))


def _changed(
    state: LocalPattern,
    position: int,
    *,
    stage: Stage,
    version: int | None = None,
    verdict: Verdict | None = None,
) -> LocalPattern:
    entries = tuple(
        replace(entry, stage=stage, version=version, verdict=verdict) if entry.position == position else entry
        for entry in state.entries
    )
    return replace(state, entries=entries)


# ---------------------------------------------------------------- settling, judging, replaying


def _settled(state: LocalPattern) -> LocalPattern:
    """Accepted commands that the confirmed state has reached are done."""
    reached = state.confirmed.version
    entries = tuple(
        replace(entry, stage=Stage.DONE)
        if entry.stage is Stage.ACCEPTED and entry.version is not None and entry.version <= reached
        else entry
        for entry in state.entries
    )
    return replace(state, entries=entries)


def _judged(state: LocalPattern, holders: Holders) -> LocalPattern:
    """Replay what is not settled on the confirmed state; what cannot be applied any more is a draft."""
    replay = Replay(state, holders)
    entries = [replay.take(entry) for entry in state.entries]
    confirmed = _trimmed(state.confirmed, entries)
    view = confirmed if replay.view is state.confirmed else replay.view
    return LocalPattern(confirmed=confirmed, entries=tuple(entries), view=view)


def _trimmed(confirmed: PatternState, entries: list[Entry]) -> PatternState:
    """Foreign changes are kept as long as a command can still meet them."""
    if isinstance(confirmed, Pattern) and all(entry.stage is Stage.DONE for entry in entries):
        return replace(confirmed, field_versions={})
    return confirmed


def _result(old: LocalPattern, new: LocalPattern) -> MergeResult:
    drafts_before = {entry.position for entry in old.entries if entry.stage in DRAFTS}
    drafts = tuple(
        entry for entry in new.entries if entry.stage in DRAFTS and entry.position not in drafts_before
    )
    if drafts:
        return Conflict(state=new, drafts=drafts)
    waits = any(entry.stage not in (Stage.DONE, *DRAFTS) for entry in new.entries)
    return Rebase(state=new) if waits else Advance(state=new)
