"""The services in containers, for a machine with a Docker engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from testcontainers.community.postgres import PostgresContainer
from testcontainers.community.redis import RedisContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.services import Services, Source

KAFKA_PORT = 9092
ADVERTISED = "/tmp/advertised"
# The port that clients use is known only after the container has started, so the broker waits to be told.
START_WHEN_TOLD = (
    f"until [ -s {ADVERTISED} ]; do sleep 0.1; done; "
    f'export KAFKA_ADVERTISED_LISTENERS="$(cat {ADVERTISED})"; exec /etc/kafka/docker/run'
)
KAFKA_SETTINGS = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{KAFKA_PORT},CONTROLLER://localhost:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
}


class KafkaContainer(DockerContainer):
    """One Apache Kafka broker; the class of this name in testcontainers runs another distribution's image."""

    def __init__(self, image: str = "apache/kafka:4.4.0") -> None:
        super().__init__(image)
        self.with_exposed_ports(KAFKA_PORT)
        self.with_envs(**KAFKA_SETTINGS)
        self.with_command(["sh", "-c", START_WHEN_TOLD])

    def start(self) -> Self:
        super().start()
        told = self.exec(["sh", "-c", f"echo PLAINTEXT://{self.bootstrap} > {ADVERTISED}"])
        if told.exit_code != 0:
            raise RuntimeError(f"the Kafka container could not be told its address: {told.output!r}")
        LogMessageWaitStrategy("Kafka Server started").wait_until_ready(self)
        return self

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(KAFKA_PORT)}"


@contextmanager
def running_containers() -> Iterator[Services]:
    """Start the three and remove them in the end."""
    with (
        KafkaContainer() as kafka,
        PostgresContainer("postgres:18", dbname="patternlog", driver=None) as postgres,
        RedisContainer("redis:7") as redis,
    ):
        yield Services(
            kafka_bootstrap=kafka.bootstrap,
            postgres_dsn=postgres.get_connection_url(),
            redis_url=f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(redis.port)}/0",
            source=Source.TESTCONTAINERS,
        )
