"""Exported logs, what a forger does to them, and the tree heads that they had."""

import copy
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from events.envelope import FIRST_PREVIOUS_HASH, Envelope, encode
from evidence.auditing import Auditor, Report
from evidence.head_book import Trust
from evidence.head_files import HeadLine
from evidence.log_lines import parse_line
from evidence.merkle import Frontier
from evidence.notes import SigningKey
from evidence.tree_heads import TreeHead, origin_of

LOG_KEY = SigningKey("log.example", bytes(range(32)))
WITNESS = SigningKey("witness.example/w1", bytes(range(1, 33)))
LOG_ID = "0190a5d0-0000-7000-8000-000000000001"
TEAM_ID = "6f1c2a8e-0000-4000-8000-000000000001"
MOMENT = "2026-03-01T12:00:00.000Z"
TRUST = Trust(keys=[LOG_KEY.key()])


def envelope_at(sequence: int, data: str, previous_hash: str = FIRST_PREVIOUS_HASH) -> Envelope:
    return Envelope(
        log_id=LOG_ID,
        team_id=TEAM_ID,
        stream="team",
        sequence=sequence,
        version=sequence,
        type="team.created.v1",
        command_id=f"0190a5d0-0000-7000-8000-{sequence:012}",
        command_hash="0" * 64,
        command_index=0,
        command_count=1,
        actor="ana",
        request_id="r",
        occurred_at=MOMENT,
        recorded_at=MOMENT,
        previous_hash=previous_hash,
        data=data.encode(),
    )


def _line(sequence: int, data: str) -> dict[str, Any]:
    headers = encode(envelope_at(sequence, data)).headers
    told = {name: value.decode() for name, value in headers.items() if name.startswith("ce_")}
    return {"sequence": sequence, "headers": told, "data": data}


@dataclass
class ExportedLog:
    """Lines of a log, which can be forged."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, size: int) -> "ExportedLog":
        log = cls([_line(sequence, f'{{"name":"n{sequence}"}}') for sequence in range(1, size + 1)])
        log.chain_anew()
        return log

    def copy(self) -> "ExportedLog":
        return copy.deepcopy(self)

    @property
    def texts(self) -> list[bytes]:
        return [_text(line) for line in self.lines]

    def alter(self, sequence: int) -> None:
        self.lines[sequence - 1]["data"] = '{"name":"forged"}'

    def drop(self, sequence: int) -> None:
        del self.lines[sequence - 1]

    def insert(self, sequence: int) -> None:
        """An event too many, which takes this place."""
        line = _line(sequence, '{"name":"forged"}')
        line["headers"]["ce_previoushash"] = "f" * 64
        self.lines.insert(sequence - 1, line)

    def swap(self, sequence: int, other: int) -> None:
        one, two = self.lines[sequence - 1], self.lines[other - 1]
        self.lines[sequence - 1], self.lines[other - 1] = two, one

    def number_anew(self) -> None:
        for sequence, line in enumerate(self.lines, 1):
            line["sequence"] = sequence
            line["headers"]["ce_sequence"] = f"{sequence:020d}"
            line["headers"]["ce_id"] = f"{LOG_ID}:{TEAM_ID}:{sequence}"

    def chain_anew(self) -> None:
        previous = FIRST_PREVIOUS_HASH
        for line in self.lines:
            line["headers"]["ce_previoushash"] = previous
            previous = sha256(parse_line(_text(line)).entry).hexdigest()

    def head(self, size: int, *, name: str = LOG_KEY.key().name, log_id: str = LOG_ID) -> TreeHead:
        frontier = self.frontier(size)
        return TreeHead(origin=origin_of(name, log_id, TEAM_ID), size=size, root=frontier.root())

    def frontier(self, size: int) -> Frontier:
        frontier = Frontier()
        for text in self.texts[:size]:
            frontier.add(parse_line(text).leaf)
        return frontier

    def heads(self, *sizes: int) -> list[HeadLine]:
        return [HeadLine(head=str(self.head(size).signed([LOG_KEY], size))) for size in sizes]


def audit(
    log: ExportedLog | list[bytes],
    heads: list[HeadLine],
    trust: Trust = TRUST,
    end: int | None = None,
    **asked: str,
) -> Report:
    auditor = Auditor(heads, trust, end, **asked)
    for text in log.texts if isinstance(log, ExportedLog) else log:
        auditor.feed(text)
    return auditor.finish()


def found(report: Report) -> list[tuple[str, int, int]]:
    return [(one.kind.value, one.first, one.last) for one in report.findings]


def _text(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
