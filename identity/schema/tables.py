"""Every table of identity: importing this fills `metadata`."""

from identity.schema import accounts
from identity.schema.columns import metadata

__all__ = ["accounts", "metadata"]
