"""Witnesses add their cosignatures, late ones too, and none holds up signing or is believed unseen."""

import threading
from dataclasses import replace

from evidence.notes import TIMESTAMPED, SigningKey
from evidence.tree_heads import open_head
from tests.notarizing import KEY, Story, Turn, story, turn
from tests.projecting import fetch
from tests.services import Services
from tests.witness import TIME_S, WitnessFake, witnessing

WRONG = ((409, b"99\n"), (409, b"x"), (200, b""), (200, b"\xff"), (404, b""), (403, b""))
STRANGER = SigningKey("witness.example/w", bytes(range(50, 82)))


def watched(told: Story, fake: WitnessFake, timeout_s: float = 2.0) -> Story:
    changes = {"witnesses": fake.setting, "witness_timeout_s": timeout_s}
    return replace(told, settings=told.settings.model_copy(update=changes))


async def cosigned_sizes(told: Story, fake: WitnessFake) -> list[int]:
    rows = await fetch(told.settings, "SELECT note FROM tree_heads ORDER BY size")
    opened = [open_head(row[0], [KEY.key(), fake.key.key(TIMESTAMPED)]) for row in rows]
    return [one.head.size for one in opened if TIME_S in [by.time_s for by in one.by]]


async def test_a_witness_cosigns_each_head_also_after_both_forgot_each_other(services: Services) -> None:
    async with story(services) as told:
        with witnessing(WitnessFake([KEY.key()])) as fake:
            seen = watched(told, fake)
            for _ in range(2):
                async with turn(seen.settings) as notary:
                    assert await notary.sign() == 1
                    await told.grow(2)
                    assert await notary.sign() == 1
                await told.grow(300)
            assert await cosigned_sizes(seen, fake) == await told.sizes() == [3, 5, 305, 307]


async def test_a_witness_that_is_away_is_told_of_and_cosigns_when_it_is_back(services: Services) -> None:
    async with story(services) as told:
        with witnessing(WitnessFake([KEY.key()], hold=threading.Event())) as fake:
            assert fake.hold is not None
            seen = watched(told, fake, 0.2)
            async with turn(seen.settings) as notary:
                assert await notary.sign() == 1
                assert "witness:witness.example/w" in notary.health.parts()
                assert notary.health.ready() == {}
                assert await cosigned_sizes(seen, fake) == []
                fake.hold.set()
                fake.hold = None
                await _until_cosigned(notary, seen, fake)
                assert notary.health.parts() == {}
            assert await told.sizes() == [3]


async def _until_cosigned(notary: Turn, told: Story, fake: WitnessFake) -> None:
    for _ in range(100):
        notary.notary.ask_late_ones()
        assert await notary.sign() == 0
        if await cosigned_sizes(told, fake):
            return
    raise AssertionError("it was not cosigned")


async def test_what_a_witness_answers_wrongly_is_not_believed(services: Services) -> None:
    async with story(services) as told:
        with witnessing(WitnessFake([KEY.key()], signs_as=STRANGER)) as fake:
            async with turn(watched(told, fake).settings) as notary:
                assert await notary.sign() == 1
                assert "witness:witness.example/w" in notary.health.parts()
                for canned in (
                    (409, b"99\n"),
                    (409, b"x"),
                    (200, b""),
                    (200, b"\xff"),
                    (404, b""),
                    (403, b""),
                ):
                    fake.canned = [canned]
                    await told.grow()
                    assert await notary.sign() == 1
                    assert "witness:witness.example/w" in notary.health.parts()
            assert await cosigned_sizes(told, fake) == []
            assert len(await told.heads()) == 7
