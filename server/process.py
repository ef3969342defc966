"""What `patternlog serve` can run."""

from enum import StrEnum


class Process(StrEnum):
    """One process each; the gateway is both APIs in one, and `all` keeps the processes below it running."""

    COMMAND_API = "command-api"
    DECIDER = "decider"
    PROJECTOR = "projector"
    READ_API = "read-api"
    GATEWAY = "gateway"
    ALL = "all"
