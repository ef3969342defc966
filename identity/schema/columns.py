"""What the tables of identity share: their Postgres schema, and the types of their columns.

They belong to no generation: nothing in them comes from the log, so nothing can fill them again.
"""

from sqlalchemy import DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import UUID

SCHEMA = "identity"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    },
)

Id = UUID(as_uuid=False)
Time = DateTime(timezone=True)
Exact = Text(collation="C")
