"""Every table of identity: importing this fills `metadata`."""

from identity.schema import accounts, credentials
from identity.schema.columns import metadata

__all__ = ["accounts", "credentials", "metadata"]
