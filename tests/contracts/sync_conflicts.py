"""What the sync client relies on where edits meet, of the server and of the one in memory."""

import uuid

from sync_client.wire import Accepted, Conflicting, PatternItem, Rejected
from tests.commands import command_id
from tests.sync_fakes.teams import Team, abandoning, building_on, editing, recording, resolving


class ConflictContract:
    """What every transport keeps to."""

    async def test_an_edit_from_an_older_version_is_merged_or_in_conflict(self, team: Team) -> None:
        pattern_id, _ = await team.record(name="n", a=1, b=1)
        edited, merged, conflict = await team.submit(
            editing(pattern_id, 1, a=2), editing(pattern_id, 1, b=2), editing(pattern_id, 1, a=3, c=3)
        )
        assert isinstance(edited, Accepted)
        assert isinstance(merged, Accepted)
        assert (edited.status, merged.status, merged.version) == ("accepted", "merged", 3)
        assert isinstance(conflict, Conflicting)
        assert (conflict.code, conflict.conflict.fields) == ("edit_conflict", ["a"])
        assert conflict.conflict.current_version == 3
        assert conflict.conflict.conflict_id == conflict.command_id
        # The conflict is a version of the pattern, and changes no field.
        page = await team.transport.changes(merged.cursor, at_least=conflict.cursor, limit=10)
        (item,) = [change for change in page.changes if isinstance(change, PatternItem)]
        assert (item.version, item.fields) == (4, {"name": "n", "a": 2, "b": 2})

    async def test_a_chain_of_edits_is_in_no_conflict_with_itself(self, team: Team) -> None:
        pattern_id = str(uuid.uuid4())
        record = recording(pattern_id, name="n", counters={"hits": 1}, a=1)
        first = building_on(record, counters={"hits": 2}, a=2)
        second = building_on(first, counters={"hits": 3}, a=3)
        answers = await team.submit(record, first, second)
        assert [answer.status for answer in answers] == ["accepted"] * 3
        (foreign,) = await team.submit(editing(pattern_id, 3, counters={"hits": 4}, b=1))
        # The answers before are known, or projected long since.
        third = building_on(second, counters={"hits": 4}, a=4)
        fourth = building_on(third, counters={"hits": 5}, a=5)
        later = await team.submit(third, fourth)
        assert (foreign.status, [answer.status for answer in later]) == ("accepted", ["merged"] * 2)
        assert await team.fields_after(later[-1]) == {"name": "n", "counters": {"hits": 6}, "a": 5, "b": 1}

    async def test_what_builds_on_a_command_that_was_not_accepted_is_not_applied(self, team: Team) -> None:
        await team.record(name="taken")
        pattern_id, _ = await team.record(name="n", a=1)
        renamed = editing(pattern_id, 1, name="taken")
        conflict = editing(pattern_id, 1, a=3)
        refused_record = recording(str(uuid.uuid4()), name="taken")
        answers = await team.submit(
            editing(pattern_id, 1, a=2),
            renamed,
            building_on(renamed, b=1),
            conflict,
            building_on(conflict, b=1),
            refused_record,
            building_on(refused_record, b=1),
            building_on(editing(pattern_id, 1), b=1),
        )
        codes = [getattr(answer, "code", answer.status) for answer in answers]
        depends = "depends_on_refused"
        assert codes == [
            "accepted",
            "name_taken",
            depends,
            "edit_conflict",
            depends,
            "name_taken",
            depends,
            "unknown_base_command",
        ]

    async def test_a_conflict_is_resolved_once_on_what_was_seen(self, team: Team) -> None:
        pattern_id, _ = await team.record(name="n", a=1, b=1)
        conflict = editing(pattern_id, 1, a=3, b=2)
        await team.submit(editing(pattern_id, 1, a=2), conflict)
        answers = await team.submit(
            resolving(conflict, 2),
            editing(pattern_id, 3, a=4),
            resolving(conflict, 2, take={"a": "mine"}),
            resolving(conflict, 4, take={"a": "mine"}),
            resolving(conflict, 4, take={"a": "theirs"}),
        )
        codes = [getattr(answer, "code", answer.status) for answer in answers]
        assert codes == [
            "unresolved_fields",
            "accepted",
            "stale_resolution",
            "accepted",
            "conflict_not_open",
        ]
        assert await team.fields_after(answers[3]) == {"name": "n", "a": 3, "b": 2}

    async def test_what_builds_on_a_resolution_has_seen_what_it_decided(self, team: Team) -> None:
        pattern_id, _ = await team.record(name="n", a=1)
        conflict = editing(pattern_id, 1, a=3)
        resolution = resolving(conflict, 2, set={"a": 4})
        answers = await team.submit(
            editing(pattern_id, 1, a=2), conflict, resolution, building_on(resolution, a=5)
        )
        assert [answer.status for answer in answers] == ["accepted", "conflict", "merged", "merged"]

    async def test_a_conflict_is_given_up_once(self, team: Team) -> None:
        pattern_id, _ = await team.record(name="n", a=1)
        conflict = editing(pattern_id, 1, a=3)
        await team.submit(editing(pattern_id, 1, a=2), conflict)
        given_up, again = await team.submit(abandoning(conflict), abandoning(conflict))
        assert isinstance(given_up, Accepted)
        assert isinstance(again, Rejected)
        assert again.code == "conflict_not_open"

    async def test_who_wants_nothing_merged_is_refused(self, team: Team) -> None:
        pattern_id, _ = await team.record(name="n", tags=["a"])
        strict = {**editing(pattern_id, 1, tags=["a", "c"]), "policy": "reject"}
        _, refused = await team.submit(editing(pattern_id, 1, tags=["a", "b"]), strict)
        assert isinstance(refused, Rejected)
        assert refused.code == "stale_edit"

    async def test_a_deletion_takes_nothing_along_that_its_sender_had_not_seen(self, team: Team) -> None:
        pattern_id, _ = await team.record(name="n", a=1)
        deletion = {"command_id": command_id(), "type": "delete_pattern", "pattern_id": pattern_id}
        mine = editing(pattern_id, 2, b=1)
        _, refused, _, accepted = await team.submit(
            editing(pattern_id, 1, a=2),
            {**deletion, "base_version": 1},
            mine,
            {**deletion, "command_id": command_id(), "base_command": mine["command_id"]},
        )
        assert isinstance(refused, Rejected)
        assert refused.code == "pattern_changed"
        assert isinstance(accepted, Accepted)

    async def test_edits_of_one_text_merge_whether_the_base_is_in_memory_or_long_projected(
        self, team: Team
    ) -> None:
        pattern_id, _ = await team.record(name="n", solution="a\nb\nc\nd\ne")
        first, second = await team.submit(
            editing(pattern_id, 1, solution="A\nb\nc\nd\ne"), editing(pattern_id, 1, solution="a\nb\nC\nd\ne")
        )
        assert (first.status, second.status) == ("accepted", "merged")
        assert isinstance(second, Accepted)
        await team.transport.changes(None, at_least=second.cursor, limit=1)
        # The decider lets go of what is projected with its next command.
        await team.record(name="another")
        (third,) = await team.submit(editing(pattern_id, 1, solution="a\nb\nc\nd\nE"))
        assert (await team.fields_after(third))["solution"] == "A\nb\nC\nd\nE"
