"""The routes of the read API."""

from fastapi import APIRouter, Depends, Request

from read_api import (
    audit,
    audit_export,
    audit_refusals,
    blame,
    changes,
    conflicts,
    diff,
    history,
    merging,
    patterns,
    proofs,
    tree_heads,
)
from read_api.parameters import check_query
from runtime.authentication import principal_of


async def check_actor(request: Request) -> None:
    """Let only known actors read; raise `Problem` 401 `unauthenticated`."""
    principal_of(request)


router = APIRouter(dependencies=[Depends(check_actor), Depends(check_query)])
of_a_team = APIRouter(prefix="/api/v1/teams/{team_id}")
# `diff` is no id of a pattern, and so comes first.
audits = (audit, audit_refusals, audit_export)
signed = (tree_heads, proofs)
for read_model in (diff, patterns, changes, history, blame, conflicts, merging, *audits, *signed):
    of_a_team.include_router(read_model.router)
for one in (of_a_team, tree_heads.keys_router):
    router.include_router(one)
