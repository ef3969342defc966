"""An HTTP/1.1 client that costs little, so that the server is what is measured."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from benchmarks.statistics import Sample

MakeRequest = Callable[[int], tuple[str, bytes]]
"""From a running number: the path and the body."""


class BadAnswer(Exception):
    """A status that the workload does not expect."""


@dataclass
class Connection:
    """One connection that is kept open."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Connect."""
        parts = urlsplit(self.url)
        self._streams = await asyncio.open_connection(parts.hostname, parts.port, limit=2**26)

    def close(self) -> None:
        """Disconnect."""
        if self._streams is not None:
            self._streams[1].close()

    async def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """The status and the body of the answer."""
        if self._streams is None:
            await self.open()
        assert self._streams is not None  # noqa: S101 - for the type checker
        reader, writer = self._streams
        lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
        lines += ["Content-Type: application/json", *(f"{k}: {v}" for k, v in self.headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(head[9:12]), await reader.readexactly(length)


async def drive(
    url: str,
    headers: Callable[[int], dict[str, str]] | dict[str, str],
    make: MakeRequest,
    *,
    connections: int,
    seconds: float,
) -> Sample:
    """POST on so many connections at once for so many seconds; headers may differ by the running number."""
    numbers, latencies = count(), list[float]()
    end = time.perf_counter() + seconds

    async def post() -> None:
        connection = Connection(url, {} if callable(headers) else headers)
        while (began := time.perf_counter()) < end:
            number = next(numbers)
            if callable(headers):
                connection.headers = headers(number)
            path, body = make(number)
            status, answer = await connection.request("POST", path, body)
            if status != 200:
                raise BadAnswer(f"{status}: {answer[:300]!r}")
            latencies.append(time.perf_counter() - began)
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(post() for _ in range(connections)))
    return Sample(seconds=time.perf_counter() - began, latencies=latencies)
