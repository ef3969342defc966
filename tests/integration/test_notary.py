"""The notary signs what has grown, once, and nothing that contradicts what it signed before."""

import base64
from dataclasses import replace
from functools import partial

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from events.pattern import PatternRecorded
from events.record import NewRecord
from evidence.key_notes import keys_trusted
from evidence.merkle import is_consistent
from evidence.notes import SigningKey
from projectors.notary.alarms import clear
from projectors.notary.stored_tree import root_and_proof
from projectors.verify import verify
from runtime.kafka import client_options
from runtime.log_setup import LogNotUsable, check_log, create_log
from runtime.topics import Topics, partition_of
from tests.notarizing import KEY, Story, story, turn
from tests.projecting import append, copied_database, fetch, projecting, until
from tests.services import Services

NEXT = SigningKey("patternlog", bytes(range(1, 33)))
BOTH = SecretStr(",".join(base64.b64encode(bytes(range(n, n + 32))).decode() for n in (0, 1)))


async def test_heads_are_signed_of_logs_that_grew_and_each_follows_the_last(services: Services) -> None:
    async with story(services) as told, turn(told.settings) as notary:
        assert [await notary.sign() for _ in range(2)] == [1, 0]
        await told.grow(300)
        assert [await notary.sign() for _ in range(2)] == [1, 0]
        old, new = await told.heads()
        assert (old.head.size, new.head.size) == (3, 303)
        root, path = await root_and_proof(notary.pg, told.team, 3, 303)
        assert root == new.head.root
        assert is_consistent(old=3, new=303, old_root=old.head.root, new_root=root, path=path)
        assert (await verify(told.settings)).is_equal


async def test_nothing_is_signed_twice_when_the_notary_dies_before_it_has_stored(services: Services) -> None:
    async with story(services) as told:
        async with turn(told.settings) as notary:
            await notary.sign()
        await fetch(told.settings, "TRUNCATE tree_heads, tree_keys, tree_head_positions")
        async with turn(told.settings) as notary:
            assert await notary.sign() == 0
        assert await told.sizes() == [3]
        assert len(await fetch(told.settings, "SELECT FROM tree_keys")) == 1


async def test_a_log_s_times_do_not_go_back_with_the_clock(services: Services) -> None:
    async with story(services) as told:
        for now in (1_700_000_000.0, 1_600_000_000.0, 1_700_000_009.0):
            async with turn(told.settings, partial(float, now)) as notary:
                await notary.sign()
            await told.grow()
        times = [one.time_s for one in await told.heads()]
        assert times == [1_700_000_000, 1_700_000_000, 1_700_000_009]


async def test_a_database_that_was_restored_is_waited_for_and_then_signed_on(services: Services) -> None:
    async with story(services) as told, copied_database(told.settings) as earlier:
        await told.grow()
        async with turn(told.settings) as notary:
            assert await notary.sign() == 1
        restored = replace(told, settings=earlier)
        async with turn(earlier) as notary:
            assert await notary.sign() == 0
            await restored.project()
            assert await notary.sign() == 0
            await restored.grow()
            assert await notary.sign() == 1
        assert (await restored.sizes(), await restored.alarms()) == ([4, 5], [])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tree_edges SET hashes = overlay(hashes PLACING '\\x00' FROM 1)",
        "UPDATE tree_edges SET hashes = substr(hashes, 33, 32) || substr(hashes, 1, 32)",
        "UPDATE tree_edges SET hashes = substr(hashes, 33)",
        "DELETE FROM tree_edges",
    ],
)
async def test_an_altered_tree_is_not_signed_and_is_found(services: Services, change: str) -> None:
    async with story(services) as told, turn(told.settings) as notary:
        await notary.sign()
        await told.grow()
        await fetch(told.settings, change)
        assert await notary.sign() == 0
        (reason,) = await told.alarms()
        assert "is not signed" in reason
        assert notary.health.ready() == {f"tree:{told.team}": reason}
        report = await verify(told.settings)
        assert {one.table for one in report.differences} == {"tree_edges"}
        assert report.first_bad_sequences == {told.team: 1}
        await told_nothing_more(told)


async def told_nothing_more(told: Story) -> None:
    async with turn(told.settings) as notary:
        assert await notary.sign() == 0
        assert await told.sizes() == [3]
        assert await clear(notary.pg, told.team)
        assert await told.alarms() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tiles SET hashes = overlay(hashes PLACING '\\x00' FROM 33) WHERE level = 0 AND index = 0",
        "DELETE FROM tiles WHERE level = 0 AND index = 0",
        "UPDATE tiles SET index = 1 - index",
        "UPDATE tree_edges SET hashes = overlay(hashes PLACING '\\x00' FROM 1) WHERE level = 1",
    ],
)
async def test_altered_tiles_are_found_with_the_event_at_which_they_are_wrong(
    services: Services, change: str
) -> None:
    async with story(services) as told:
        await told.grow(520)
        await fetch(told.settings, "ALTER TABLE tiles DROP CONSTRAINT pk_tiles")
        await fetch(told.settings, change)
        report = await verify(told.settings)
        assert report.first_bad_sequences == {told.team: 2 if "FROM 33" in change else 1}


async def test_two_roots_for_one_size_are_an_alarm_and_kept_as_evidence(services: Services) -> None:
    async with story(services) as told, turn(told.settings) as notary:
        await notary.sign()
        (head,) = await told.heads()
        other = replace(head.head, root=bytes(32)).signed([KEY], 5)
        await publish(told, str(other))
        await told.grow()
        assert await notary.sign() == 0
        ((reason, evidence),) = await fetch(told.settings, "SELECT reason, evidence FROM tree_alarms")
        assert reason == "two tree heads of size 3 have different roots"
        assert str(other) in evidence
        assert str(head.note) in evidence


async def publish(told: Story, note: str) -> None:
    topic, partitions = Topics(told.settings.topic_prefix).tree_heads, told.settings.log_partitions
    record = NewRecord(key=told.team.encode(), value=note.encode(), headers={})
    await append(told.settings, topic, partition_of(told.team, partitions), [record])


async def test_a_new_key_is_announced_by_the_old_one_and_both_sign(services: Services) -> None:
    async with story(services) as told:
        async with turn(told.settings):
            pass
        async with turn(told.settings.model_copy(update={"tree_head_keys": BOTH})) as notary:
            await notary.sign()
            notes = [row[0] for row in await fetch(told.settings, "SELECT note FROM tree_keys ORDER BY 1")]
        (head,) = await told.heads()
        assert {one.key_id for one in head.note.signatures} >= {KEY.key().id, NEXT.key().id}
        assert len(notes) == 2
        assert keys_trusted(notes, [KEY.key()]) == {KEY.key(), NEXT.key()}


async def test_of_two_notaries_one_signs_and_the_other_takes_over(services: Services) -> None:
    async with story(services) as told:
        async with projecting(told.settings), projecting(told.settings):
            await until(lambda: signed(told, 3))
        await told.grow()
        async with projecting(told.settings):
            await until(lambda: signed(told, 4))
        assert await told.sizes() == [3, 4]


async def test_a_notary_whose_session_ends_takes_its_turn_again(services: Services) -> None:
    async with story(services) as told, projecting(told.settings):
        await until(lambda: signed(told, 3))
        await fetch(
            told.settings,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        told.log.scribe.pattern(told.team, PatternRecorded(fields={"name": "later"}))
        await told.log.publish()
        await until(lambda: signed(told, 4))
        assert await told.alarms() == []


async def signed(told: Story, size: int) -> bool:
    return size in await told.sizes()


async def test_a_log_of_an_earlier_version_gets_the_topic_by_setup(services: Services) -> None:
    async with story(services) as told:
        admin = AIOKafkaAdminClient(**client_options(told.settings))
        await admin.start()
        await admin.delete_topics([Topics(told.settings.topic_prefix).tree_heads])
        await admin.close()

        async def is_gone() -> bool:
            try:
                await check_log(told.settings)
            except LogNotUsable as error:
                return "tree_heads.v1 does not exist: run `patternlog setup`" in str(error)
            return False

        await until(is_gone)
        await create_log(told.settings)
        async with turn(told.settings) as notary:
            assert await notary.sign() == 1
