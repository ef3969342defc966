"""The routes of the read API, each with the right that it needs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import APIRouter, Depends

from events.roles import Right
from read_api import (
    audit,
    audit_export,
    audit_refusals,
    belonging,
    blame,
    changes,
    conflicts,
    diff,
    history,
    merging,
    organizations,
    patterns,
    proofs,
    team_people,
    team_settings,
    tree_heads,
)
from read_api.parameters import check_query
from read_api.rights import InOrganization, InOrganizationLog, InTeam
from runtime.authentication import check_known

Parts = Mapping[Right, Sequence[APIRouter]]
Guard = Callable[..., Awaitable[None]]


_AUDITS = (audit.router, audit_refusals.router, audit_export.router)
_SIGNED = (tree_heads.router, proofs.router)

# `diff` is no id of a pattern, and so comes first.
_LIBRARY = (diff.router, patterns.router, changes.router, history.router, blame.router, conflicts.router)
OF_A_TEAM: Parts = {
    Right.READ: (*_LIBRARY, merging.router, team_people.members_router, team_settings.router, *_SIGNED),
    Right.AUDIT: _AUDITS,
    Right.MANAGE: (team_people.invitations_router,),
}
OF_AN_ORGANIZATION: Parts = {
    Right.READ: (organizations.router,),
    Right.MANAGE: (organizations.invitations_router,),
}
OF_AN_ORGANIZATION_S_LOG: Parts = {Right.AUDIT: (*_AUDITS, *_SIGNED)}
FOR_EVERYBODY = (tree_heads.keys_router, belonging.router)
"""What any known actor may read."""


def _guarded(prefix: str, needs: Callable[[Right], Guard], parts: Parts) -> APIRouter:
    guarded = APIRouter(prefix=prefix)
    for right, routers in parts.items():
        for one in routers:
            guarded.include_router(one, dependencies=[Depends(needs(right))])
    return guarded


router = APIRouter(dependencies=[Depends(check_known), Depends(check_query)])
# Of routes that stand here twice, metrics show the last.
for included in (
    _guarded("/api/v1/organizations/{team_id}", InOrganizationLog, OF_AN_ORGANIZATION_S_LOG),
    _guarded("/api/v1/organizations", InOrganization, OF_AN_ORGANIZATION),
    _guarded("/api/v1/teams/{team_id}", InTeam, OF_A_TEAM),
    *FOR_EVERYBODY,
):
    router.include_router(included)
