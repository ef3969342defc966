"""Telling a person where things are, once they work."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from server.process import Process

_POLL_S = 0.1
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


async def announce(host: str, port_files: Mapping[Process, Path]) -> None:
    """Wait until every process is ready, then write its URLs to stdout."""
    async with httpx.AsyncClient(timeout=2.0) as http:
        waiting = (_ready_url(http, host, port_file) for port_file in port_files.values())
        urls = dict(zip(port_files, await asyncio.gather(*waiting), strict=True))
    gateway = urls.pop(Process.GATEWAY)
    lines = [f"Patternlog is ready at {gateway}", f"  API docs   {gateway}/docs"]
    lines += [f"  {process.value:<10} {url}/metrics" for process, url in urls.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def base_url(host: str, port: int) -> str:
    """The URL by which a process that listens on this address is reached from the same machine."""
    reachable = _ANY_ADDRESS.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


async def _ready_url(http: httpx.AsyncClient, host: str, port_file: Path) -> str:
    while True:
        port = read_port(port_file)
        if port is not None and await _is_ready(http, base_url(host, port)):
            return base_url(host, port)
        await asyncio.sleep(_POLL_S)


def read_port(port_file: Path) -> int | None:
    """The port that a process has written, if it listens already."""
    try:
        return int(port_file.read_text())
    except FileNotFoundError:
        return None


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/health/ready")).is_success
    except httpx.TransportError:
        # It starts, or it is being started again.
        return False
