"""The problems that accounts can end in; docs/problems.md explains each."""

import math

from runtime.authentication import CHALLENGE
from runtime.problems import Problem


def malformed_account(name: str, reason: str) -> Problem:
    """A member of the body that is missing, of the wrong type, or breaks its rule."""
    return Problem("invalid_account", 400, f"{name}: {reason}", pointer=f"/{name}")


def weak_password(reason: str, name: str) -> Problem:
    """A new password that breaks a rule."""
    return Problem("unfit_password", 400, reason, pointer=f"/{name}")


def username_taken() -> Problem:
    """A name that someone has, or had: events name who did something, so none is given twice."""
    return Problem("username_taken", 409, "this username, or one that differs in case alone, is taken")


def email_taken() -> Problem:
    """An address that another account has shown to be its own; only who reads its mail learns that."""
    return Problem("email_taken", 409, "another account has this e-mail address")


def invalid_credentials() -> Problem:
    """A login that names nobody, or a wrong password: which of them is not said."""
    detail = "the username or e-mail address, or the password, is wrong"
    return Problem("invalid_credentials", 401, detail, headers=CHALLENGE)


def wrong_password(name: str) -> Problem:
    """The present password, which is asked for again, is another."""
    return Problem("wrong_password", 403, "the present password is another", pointer=f"/{name}")


def too_many_attempts(wait_s: float) -> Problem:
    """Passwords were tried too often; until then none is looked at."""
    seconds = max(1, math.ceil(wait_s))
    detail = f"too many passwords were tried: try again in {seconds} seconds"
    return Problem("too_many_attempts", 429, detail, headers={"Retry-After": str(seconds)})


def bad_one_time_token() -> Problem:
    """A token from a mail that is unknown, used, replaced or too old: which of them is not said."""
    return Problem("bad_one_time_token", 400, "the token is not good, or no longer: ask for a new mail")


def no_account() -> Problem:
    """Whoever asks has no account, or no longer."""
    return Problem("unknown_account", 404, "you have no account here")


def session_required() -> Problem:
    """What an API key may not do for the one who made it."""
    return Problem("session_required", 403, "an API key cannot do this: log in")


def busy(wait_s: int) -> Problem:
    """As many passwords wait to be hashed as may."""
    detail = "too many passwords wait to be checked: try again"
    return Problem("busy", 503, detail, headers={"Retry-After": str(wait_s)})
