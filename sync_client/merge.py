"""What becomes of one pattern's local edits when news comes: pure, no clock, no I/O.

    confirmed ──C1──C2──C3──►  view          C2 builds on C1, C3 on C2 (`after`)
        ▲         pending commands, replayed through the `decide` of the server
        └── moved by what is pulled, and by our own commands as they are accepted

Invariants
 1. A command is never lost: it is DONE only when its effect is in the confirmed state, or its conflict over.
 2. What was sent never changes: the same id always carries the same body.
 3. A command whose fate is unknown (SENT) is judged by the server alone, and whatever was changed by both
    sides is for the server to merge, or to note as a conflict.
 4. What a command is based on is what its author had seen: line.py says how.
"""

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import assert_never

from command_api.decisions.commands import DeletePattern, EditPattern
from command_api.decisions.refusals import Accepted, Refusal, Rejected
from events.pattern import DeletedPattern, NoPattern, Pattern, PatternState
from sync_client.conflict_ends import ended
from sync_client.foreign import differing, field_after, fields_after, fields_of_state, foreign_fields
from sync_client.line import (
    base_version_of,
    based_on,
    builders,
    changed,
    changed_since,
    effect_in,
    fields_of,
    in_step,
    merged_by_server,
    needed_by,
    noted,
    shown_again,
    touched,
)
from sync_client.local_pattern import (
    DRAFTS,
    UNSETTLED,
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
from sync_client.replay import Holders, Replay, decide_on, evolved, forced

_BASE_REFUSED = frozenset({Refusal.DEPENDS_ON_REFUSED, Refusal.UNKNOWN_BASE_COMMAND})


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
            moved = _declined(state, payload)
        case _:
            assert_never(payload)
    return _result(state, _judged(shown_again(moved), holders))


def propose(state: LocalPattern, entry: Entry, holders: Holders) -> LocalPattern | Verdict:
    """The state with one more local command on top of its view, or why the library refuses it."""
    entries = (*state.entries, entry)
    effect = based_on(effect_in(entries, entry), state.view.version)
    decision = decide_on(state.view, effect, holders)
    if isinstance(decision, Rejected):
        return verdict_of(decision)
    if not isinstance(decision, Accepted):
        raise TypeError("a command on the view has seen all of it")
    return LocalPattern(confirmed=state.confirmed, entries=entries, view=evolved(state.view, decision))


# ---------------------------------------------------------------- one function per payload


def _pulled(state: LocalPattern, new: PatternState) -> LocalPattern:
    if new.version <= state.confirmed.version or isinstance(new, NoPattern):
        return state
    if not isinstance(new, Pattern):
        return _settled(replace(state, confirmed=new))
    known = state.confirmed.field_versions if isinstance(state.confirmed, Pattern) else {}
    differs = differing(fields_of_state(state.confirmed), new.fields)
    moved = noted(replace(new, field_versions=known), differs, new.version)
    return in_step(_settled(replace(state, confirmed=moved)), foreign_fields(state, new))


def _accepted(state: LocalPattern, news: Confirmed) -> LocalPattern:
    entry = _entry_at(state, news.position)
    accepted = _changed(state, replace(entry, stage=Stage.ACCEPTED, version=news.version, verdict=None))
    if entry.resolves is not None:
        accepted = ended(accepted, entry)
    known = news.exact and not merged_by_server(state.entries, entry)
    if known and news.version == state.confirmed.version + 1:
        effect = effect_in(state.entries, entry)
        moved = replace(accepted, confirmed=forced(state.confirmed, effect))
        return in_step(_settled(moved), fields_of(effect) if entry.hidden else frozenset())
    # What was taken for its effect may turn out to be somebody else's, now that it is known to be in there.
    return in_step(_settled(accepted), foreign_fields(accepted, state.confirmed))


def _declined(state: LocalPattern, news: Declined) -> LocalPattern:
    entry, verdict = _entry_at(state, news.position), news.verdict
    base = next((one for one in state.entries if one.position == entry.after), None)
    if verdict.code in _BASE_REFUSED and base is not None and base.stage not in (Stage.ACCEPTED, Stage.DONE):
        return _changed(state, replace(entry, stage=Stage.PENDING, base_command=None))
    draft = replace(entry, stage=verdict.stage, verdict=verdict)
    visible = entry.stage in UNSETTLED and not entry.hidden
    # The same: what was taken for its effect is not.
    return in_step(
        _changed(state, draft), touched(state.entries, entry, state.confirmed) if visible else frozenset()
    )


# ---------------------------------------------------------------- another log


def _rebuilt(state: LocalPattern, new: PatternState) -> LocalPattern:
    """The state in terms of the new log: versions and commands of the old one name nothing there."""
    foreign = foreign_fields(state, new)
    done = {entry.position for entry in state.entries if entry.stage in (Stage.DONE, Stage.ACCEPTED)}
    entries = []
    for place, entry in enumerate(state.entries):
        if entry.stage is Stage.ACCEPTED:
            entries.append(replace(entry, stage=Stage.DONE, version=new.version))
        elif entry.stage is Stage.SENT and base_version_of(entry.command) is not None:
            entries.append(_of_lost_fate(state.entries[place:], new))
        elif entry.stage is Stage.PENDING:
            alone = replace(entry, after=None) if entry.after in done else entry
            entries.append(_translated(state, alone, new, foreign))
        else:
            entries.append(entry)
    return replace(state, confirmed=new, entries=tuple(entries))


def _translated(state: LocalPattern, entry: Entry, new: PatternState, foreign: Set[str]) -> Entry:
    """A command that was never sent, if what it is based on is the same in the new log."""
    differs = foreign | (changed_since(state.confirmed, entry.command) if entry.hidden else frozenset())
    if base_version_of(entry.command) is None:
        return entry
    if not isinstance(entry.command, DeletePattern):
        differs &= needed_by(state.entries, entry)
    if differs:
        return _of_another_log(entry, f"differs in the server's new log: {', '.join(sorted(differs))}")
    return replace(entry, command=based_on(entry.command, new.version))


def _of_lost_fate(entries: Sequence[Entry], new: PatternState) -> Entry:
    """The first of these, which the old log may have had: its base is none of the new one, its body fixed."""
    entry = entries[0]
    effects = [
        one.command for one in entries if one.stage is Stage.SENT and isinstance(one.command, EditPattern)
    ]
    if isinstance(entry.command, EditPattern) and isinstance(new, Pattern):
        there = any(not differing(after, new.fields) for after in fields_after(new.fields, effects)[1:])
    else:
        there = isinstance(entry.command, DeletePattern) and isinstance(new, DeletedPattern)
    if there:
        return replace(entry, stage=Stage.DONE, version=new.version)
    detail = "the server's log became another one before it answered; make the edit again if it is missing"
    return _of_another_log(entry, detail)


def _of_another_log(entry: Entry, detail: str) -> Entry:
    verdict = Verdict(code="log_changed", detail=detail)
    return replace(entry, stage=verdict.stage, verdict=verdict)


# ---------------------------------------------------------------- settling, judging


def _settled(state: LocalPattern) -> LocalPattern:
    """Accepted commands that the confirmed state has reached are done."""
    for position in [entry.position for entry in state.entries if entry.stage is Stage.ACCEPTED]:
        entry = _entry_at(state, position)
        if entry.version is not None and entry.version <= state.confirmed.version:
            state = _done(state, entry, entry.version)
    return state


def _done(state: LocalPattern, entry: Entry, version: int) -> LocalPattern:
    """The state in which a command made a version; who built on it, and saw all before it, has seen that."""
    moved = {entry.position: replace(entry, stage=Stage.DONE)}
    above = builders(state.entries, {entry.position}) - {entry.position}
    for other in state.entries:
        is_ours = other.stage is Stage.PENDING or other.base_command is not None
        if is_ours and other.position in above and base_version_of(other.command) == version - 1:
            moved[other.position] = replace(other, command=based_on(other.command, version))
    effect, there = effect_in(state.entries, entry), fields_of_state(state.confirmed)
    confirmed = noted(state.confirmed, fields_of(effect), version)
    confirmed = noted(confirmed, differing(there, field_after(there, effect)), confirmed.version)
    return replace(state, confirmed=confirmed, entries=changed(state.entries, moved))


def _judged(state: LocalPattern, holders: Holders) -> LocalPattern:
    """Replay what is not settled on the confirmed state; what cannot be applied any more is a draft."""
    replay = Replay(state, holders)
    entries = changed(state.entries, {entry.position: replay.take(entry) for entry in state.entries})
    confirmed = _trimmed(state.confirmed, entries)
    view = confirmed if replay.view is state.confirmed else replay.view
    return LocalPattern(confirmed=confirmed, entries=entries, view=view)


def _trimmed(confirmed: PatternState, entries: Sequence[Entry]) -> PatternState:
    """What changed when is kept as long as a command can still meet it."""
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


def _entry_at(state: LocalPattern, position: int) -> Entry:
    return next(entry for entry in state.entries if entry.position == position)


def _changed(state: LocalPattern, entry: Entry) -> LocalPattern:
    return replace(state, entries=changed(state.entries, {entry.position: entry}))
