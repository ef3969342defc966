"""A devstack's data is kept in a folder or thrown away, and a part that can't start is named."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devstack import stack as stack_module
from devstack.errors import DataDirInUse, ServiceStartFailed
from devstack.ports import HOST, Ports
from devstack.stack import DevStack, StackOptions
from tests.devstack_clients import make_topic, query, recall, received, remember, send

pytestmark = pytest.mark.devstack


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither a process nor a temporary folder outlives a stack."""
    before = set(psutil.Process().children(recursive=True))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield
    assert set(psutil.Process().children(recursive=True)) - before == set()
    assert list(tmp_path.glob("patternlog-devstack-*")) == []


async def test_a_stack_finds_its_data_again_and_has_its_folder_for_itself(tmp_path: Path) -> None:
    options = StackOptions(data_dir=tmp_path / "kept")
    with DevStack(options) as stack:
        await make_topic(stack, "kept")
        await send(stack, "kept", b"record")
        await query(stack, "CREATE TABLE kept AS SELECT 'row' AS value")
        remember(stack, "kept", "value")
        with pytest.raises(DataDirInUse):
            DevStack(options).start()
    with DevStack(options) as stack:
        assert await received(stack, "kept") == [b"record"]
        assert await query(stack, "SELECT value FROM kept") == "row"
        assert recall(stack, "kept") == "value"


def test_a_broker_that_refuses_its_properties_is_named_with_the_reason() -> None:
    options = StackOptions(kafka_properties={"num.io.threads": "none"})
    with pytest.raises(ServiceStartFailed, match=r"(?s)kafka-1: .*Invalid value none") as raised:
        DevStack(options).start()
    assert raised.value.service == "kafka-1"


def test_a_postgres_that_refuses_its_settings_is_named_with_the_reason() -> None:
    options = StackOptions(postgres_settings={"shared_buffers": "none"})
    with pytest.raises(ServiceStartFailed, match=r"(?s)postgres: .*shared_buffers") as raised:
        DevStack(options).start()
    assert raised.value.service == "postgres"


class LostRace(Ports):
    """Ports of which the first ones are taken by others before the service can listen there."""

    def __init__(self) -> None:
        super().__init__()
        self._rivals = [socket.create_server((HOST, 0)) for _ in range(3)]
        self._lost = list(self._rivals)

    def reserve(self) -> int:
        try:
            number: int = self._lost.pop().getsockname()[1]
        except IndexError:
            return super().reserve()
        return number

    def release(self) -> None:
        super().release()
        for rival in self._rivals:
            rival.close()


async def test_a_port_that_was_lost_in_a_race_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_module, "Ports", LostRace)
    with DevStack() as stack:
        await make_topic(stack, "topic")
        assert await query(stack, "SELECT 1") == 1
        assert recall(stack, "key") is None
