"""The problems that reads can end in; docs/read-api.md explains each."""

from runtime.problems import Problem

_RETRY = {"Retry-After": "1"}


def unknown_team(team_id: str) -> Problem:
    """A team without a log, or whose first event is not visible yet, or to which who asks does not belong."""
    return Problem("unknown_team", 404, f"no team has the id {team_id}")


def unknown_organization(organization_id: str) -> Problem:
    """An organization that is not there, or not to who asks."""
    return Problem("unknown_organization", 404, f"no organization has the id {organization_id}")


def forbidden(detail: str) -> Problem:
    """Who asks is known, and may not do that."""
    return Problem("forbidden", 403, detail)


def unknown_pattern(pattern_id: str) -> Problem:
    """A pattern that the team never had."""
    return Problem("unknown_pattern", 404, f"the team has no pattern with the id {pattern_id}")


def pattern_deleted(pattern_id: str) -> Problem:
    """A pattern that is gone for good; its history remains."""
    return Problem("pattern_deleted", 410, f"the pattern {pattern_id} was deleted")


def unknown_conflict(conflict_id: str) -> Problem:
    """A conflict that the team never had."""
    return Problem("unknown_conflict", 404, f"the team has no conflict with the id {conflict_id}")


def bad_cursor(reason: str) -> Problem:
    """Text that is no cursor of ours."""
    return Problem("bad_cursor", 400, reason)


def cursor_of_another_team() -> Problem:
    """A cursor that was made for another team."""
    return Problem("cursor_of_another_team", 400, "the cursor was made for another team")


def bad_page() -> Problem:
    """A page token that does not continue this question."""
    return Problem("bad_page", 400, "page: is damaged, or belongs to another team, filter or sort")


def log_changed(team_id: str) -> Problem:
    """A cursor whose log is no more."""
    return Problem(
        "log_changed",
        410,
        "the log was restored to an earlier state since the cursor was made: start again from nothing",
        bootstrap=f"/api/v1/teams/{team_id}/changes",
    )


def not_yet_visible() -> Problem:
    """The projection is behind what the client has seen, or asked to see."""
    detail = "the read models have not come to the sequence that the cursor names: try again"
    return Problem("not_yet_visible", 503, detail, headers=_RETRY)


def log_incomplete(sequence: int) -> Problem:
    """An event that the audit should hold and does not."""
    detail = f"the audit does not hold sequence {sequence}: its projection has to be rebuilt from the log"
    return Problem("log_incomplete", 503, detail, headers=_RETRY)


class DatabaseUnavailable(Problem):
    """Postgres does not answer at the moment; `reason` is for the log and the health check."""

    def __init__(self, reason: str) -> None:
        detail = "the read models cannot be reached at the moment: try again"
        super().__init__("database_unavailable", 503, detail, headers=_RETRY)
        self.reason = reason


def no_tree_head(size: int | None) -> Problem:
    """Nothing is signed of the log yet, or nothing of this size."""
    which = "no tree head" if size is None else f"no tree head of size {size}"
    return Problem("no_tree_head", 404, f"{which} of the log is signed")


def proof_out_of_range(order: str, tree_size: int) -> Problem:
    """A proof of what the tree does not hold."""
    detail = f"must be: {order} <= {tree_size}, the size of the tree"
    return Problem("proof_out_of_range", 400, detail, tree_size=tree_size)


def damaged_tree(reason: str) -> Problem:
    """The stored tree lacks what it must have; `patternlog verify` says where."""
    return Problem("damaged_tree", 500, f"the stored tree cannot prove it: {reason}")


def invalid_parameter(name: str, reason: str) -> Problem:
    """A query parameter that is refused before its value is looked at."""
    shown = name.encode("utf-8", "replace").decode()
    return Problem("invalid_parameter", 400, f"{shown}: {reason}", parameter=shown)
