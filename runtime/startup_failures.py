"""The ways in which a process does not start, each with its exit code."""


class StartupFailure(Exception):
    """The process cannot start; its message is the one line that the operator reads."""

    exit_code = 1


class Unreachable(StartupFailure):
    """Something that the process needs does not answer; starting again may find it there."""

    exit_code = 1


class Misconfigured(StartupFailure):
    """Starting again changes nothing: a setting, the database or the log has to be put right first."""

    exit_code = 2
