"""The tables of what organizations have made known to their teams; the log itself tells the same anew."""

from sqlalchemy import BigInteger, Column, Table, Text

from projectors.schema.columns import Id, metadata

coordinated = Table(
    "coordinated",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("log_id", Id, nullable=False),
    Column("version", BigInteger, nullable=False),
    comment="The version of each organization that all its teams know",
)

coordination_refusals = Table(
    "coordination_refusals",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("team_id", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    comment="Teams that do not take up what an organization says, and why",
)
