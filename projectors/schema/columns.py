"""What the tables share: where they are gathered, and the types of their columns."""

from sqlalchemy import DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Id = UUID(as_uuid=False)
Time = DateTime(timezone=True)
Exact = Text(collation="C")
