"""Every table: importing this fills `metadata`."""

from projectors.schema import coordination, generations
from projectors.schema.columns import metadata

# Generations know the projections' own.
__all__ = ["coordination", "generations", "metadata"]
