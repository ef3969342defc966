"""What a broker is told, and how its storage is formatted."""

from pathlib import Path

import pytest

from devstack.errors import DataDirUnusable
from devstack.identity import cluster_identity, random_id
from devstack.kafka import METADATA, format_storage
from devstack.kafka_properties import NodePorts, broker_properties, properties_text

ONE = [NodePorts(client=1001, controller=2001)]
THREE = [NodePorts(client=1000 + node, controller=2000 + node) for node in (1, 2, 3)]
LARGEST_RECORD_BATCH = 8 * 1024 * 1024


def test_three_brokers_keep_three_copies_and_acknowledge_when_two_have_it() -> None:
    properties = broker_properties(2, THREE, {})
    assert properties["node.id"] == "2"
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:2001,2@127.0.0.1:2002,3@127.0.0.1:2003"
    assert properties["default.replication.factor"] == "3"
    assert properties["offsets.topic.replication.factor"] == "3"
    assert properties["min.insync.replicas"] == "2"
    assert properties["unclean.leader.election.enable"] == "false"


def test_one_broker_needs_no_other() -> None:
    properties = broker_properties(1, ONE, {})
    alone = [value for name, value in properties.items() if "replication.factor" in name or "isr" in name]
    assert set(alone) == {"1"}
    assert properties["min.insync.replicas"] == "1"


def test_a_broker_listens_on_this_machine_alone() -> None:
    properties = broker_properties(1, ONE, {})
    assert properties["listeners"] == "CLIENT://127.0.0.1:1001,CONTROLLER://127.0.0.1:2001"
    assert properties["advertised.listeners"] == "CLIENT://127.0.0.1:1001"


def test_every_hop_takes_a_batch_of_8_mebibytes() -> None:
    properties = broker_properties(1, THREE, {})
    for name in ("message.max.bytes", "replica.fetch.max.bytes", "socket.request.max.bytes"):
        assert int(properties[name]) > LARGEST_RECORD_BATCH


def test_the_callers_properties_win() -> None:
    properties = broker_properties(
        1, ONE, {"auto.create.topics.enable": "true", "log.flush.interval.messages": "1"}
    )
    assert properties["auto.create.topics.enable"] == "true"
    assert properties["log.flush.interval.messages"] == "1"


def test_properties_are_written_so_that_java_reads_them_back() -> None:
    assert properties_text({"path": "C:\\ä\nb"}) == "path=C:\\\\\\u00e4\\nb\n"


def test_storage_is_formatted_once(tmp_path: Path) -> None:
    format_storage(tmp_path, 2, "cluster", b"metadata")
    meta = (tmp_path / "data" / "meta.properties").read_text()
    assert {"version=1", "cluster.id=cluster", "node.id=2"} <= set(meta.splitlines())
    assert (tmp_path / METADATA).read_bytes() == b"metadata"
    format_storage(tmp_path, 2, "another", b"other")
    assert (tmp_path / "data" / "meta.properties").read_text() == meta
    assert (tmp_path / METADATA).read_bytes() == b"metadata"


def test_formatting_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    format_storage(tmp_path, 1, "cluster", b"half")
    (tmp_path / "data" / "meta.properties").unlink()
    format_storage(tmp_path, 1, "cluster", b"metadata")
    assert (tmp_path / METADATA).read_bytes() == b"metadata"


def test_ids_have_kafkas_form() -> None:
    for _ in range(200):
        text = random_id()
        assert len(text) == 22
        assert not text.startswith("-")


def test_a_folder_keeps_its_cluster_id(tmp_path: Path) -> None:
    assert cluster_identity(tmp_path, 3) == cluster_identity(tmp_path, 3)


def test_a_folder_made_for_three_brokers_is_not_run_with_one(tmp_path: Path) -> None:
    cluster_identity(tmp_path, 3)
    with pytest.raises(DataDirUnusable, match="brokers=3, not 1"):
        cluster_identity(tmp_path, 1)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"brokers": "x", "cluster_id": ""}'])
def test_a_folder_with_a_damaged_identity_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content)
    with pytest.raises(DataDirUnusable, match=r"stack\.json"):
        cluster_identity(tmp_path, 1)
