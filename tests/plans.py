"""What Postgres does for a statement, as it says itself."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg

BIG = {"patterns", "changes", "history", "heads", "names", "outcomes", "conflicts"} | {
    "audit",
    "refusals",
    "origins",
    *("teams", "members", "settings", "invitations"),
    *("organizations", "organization_members", "organization_teams", "organization_settings"),
}
_EXPLAIN = "EXPLAIN (ANALYZE, FORMAT JSON) "


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan that was run."""

    nodes: list[dict[str, Any]]

    @property
    def scanned(self) -> set[str]:
        """The big tables that were read from one end to the other."""
        return {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"} & BIG

    @property
    def examined(self) -> int:
        """Rows of big tables that were looked at, whether or not they were wanted."""
        return sum(map(_examined, self.nodes))

    @property
    def sorted(self) -> int:
        """Rows that went into sorts."""
        return sum(_into(node) for node in self.nodes if "Sort" in node["Node Type"])

    @property
    def indexes(self) -> set[str]:
        """The indexes that were used."""
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}


async def plan_of(pg: asyncpg.Connection, statement: str, *arguments: object) -> Plan:
    """Run a statement and say how."""
    (tree,) = json.loads(await pg.fetchval(_EXPLAIN + statement, *arguments))
    return Plan(nodes=list(_nodes(tree["Plan"])))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _examined(node: dict[str, Any]) -> int:
    if node.get("Relation Name") not in BIG:
        return 0
    refused = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + refused) * node["Actual Loops"])


def _into(node: dict[str, Any]) -> int:
    return int(sum(child["Actual Rows"] * child["Actual Loops"] for child in node["Plans"]))
