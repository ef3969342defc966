"""Every route says which right it needs, and what each role and credential may do is what roles say."""

import pytest
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.requests import Request

from events.roles import Right, Role, allows
from read_api.reader import ReadService
from read_api.rights import InOrganization, InOrganizationLog, InTeam, Needs
from read_api.roles import Kind, Membership
from read_api.routes import router
from runtime.authentication import Principal
from runtime.problems import Problem

FREE = {"/api/v1/teams", "/api/v1/organizations", "/api/v1/audit/keys"}
"""Routes for any known actor."""
TEAM = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"


def routes() -> list[RouteContext]:
    return list(iter_route_contexts(router.routes))


def needs_of(route: RouteContext) -> list[Needs]:
    return [one.call for one in route.dependant.dependencies if isinstance(one.call, Needs)]


def test_every_route_of_a_team_or_an_organization_needs_one_right() -> None:
    for route in routes():
        assert len(needs_of(route)) == (route.path not in FREE), route.path


def test_routes_of_the_audit_need_its_right_and_invitations_the_one_to_manage() -> None:
    for route in routes():
        for needs in needs_of(route):
            last = str(route.path).rpartition("/")[2]
            if last in {"audit", "refusals", "export", "log"}:
                assert needs.right is Right.AUDIT
            elif last == "invitations":
                assert needs.right is Right.MANAGE
            elif isinstance(needs, InTeam):
                assert needs.right is Right.READ


class FakeRoles:
    def __init__(self, **roles: Role) -> None:
        self.roles = roles

    async def of(self, membership: Membership) -> Role | None:
        return self.roles.get(membership.actor) if membership.id == TEAM else None


async def ask(needs: Needs, principal: Principal, role: Role | None, log: str = TEAM) -> str:
    """What somebody with a role is told: `ok`, or the code of a problem."""
    service = ReadService.__new__(ReadService)
    service.log_id = TEAM
    service.roles = FakeRoles(**({} if role is None else {"ada": role}))  # type: ignore[assignment]
    app = type("App", (), {"state": type("State", (), {"read_api": service})})
    scope = {"type": "http", "app": app, "query_string": b"", "state": {"authentication": principal}}
    try:
        await needs.check(Request(scope), Kind.TEAM, log)
    except Problem as problem:
        return f"{problem.status} {problem.code}"
    return "ok"


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("role", Role)
async def test_a_role_and_a_credential_have_to_allow_it_both(right: Right, role: Role) -> None:
    for at_most in (None, *Role):
        found = await ask(InTeam(right), Principal(actor="ada", at_most=at_most), role)
        assert found == ("ok" if allows(role, right, at_most) else "403 forbidden")


async def test_a_key_of_another_team_is_refused_whether_or_not_the_team_is_there() -> None:
    principal = Principal(actor="ada", team_id=OTHER)
    assert await ask(InTeam(Right.READ), principal, Role.ADMIN) == "403 forbidden"
    assert await ask(InTeam(Right.READ), principal, None) == "403 forbidden"


async def test_to_strangers_there_is_no_team_and_no_organization() -> None:
    principal = Principal(actor="ada")
    assert await ask(InTeam(Right.READ), principal, None) == "404 unknown_team"
    assert await ask(InTeam(Right.AUDIT), principal, Role.ADMIN, OTHER) == "404 unknown_team"
    assert await ask(InOrganization(Right.READ), principal, None) == "404 unknown_organization"


async def test_an_organization_is_called_so_also_where_its_log_is_read_as_any_other() -> None:
    scope = {"type": "http", "path_params": {"team_id": "none"}, "query_string": b""}
    with pytest.raises(Problem) as problem:
        await InOrganizationLog(Right.AUDIT)(Request(scope))
    assert problem.value.members == {"parameter": "organization_id"}
