"""Every table: importing this fills `metadata`."""

from projectors.schema import generations
from projectors.schema.columns import metadata

# Generations know all others.
__all__ = ["generations", "metadata"]
