"""The tables of outcomes, of what was refused, and of how far deciders have come."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from projectors.schema.columns import Exact, Id, Time, metadata

outcomes = Table(
    "outcomes",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("command_id", Id, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("command_offset", BigInteger, nullable=False),
    Column("command_hash", Text, nullable=False),
    Column("log_id", Id, nullable=False),
    Column("recorded_at", Time, nullable=False),
    Column("status", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_outcomes_recorded_at", "recorded_at"),
    comment="The first answer to each command; answer is the outcome's JSON text",
)

refusals = Table(
    "refusals",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("command_offset", BigInteger, primary_key=True),
    Column("team_id", Id, nullable=False),
    Column("recorded_at", Time, nullable=False),
    Column("code", Exact, nullable=False),
    Column("actor", Exact),
    Column("item", Text, nullable=False),
    Index("ix_refusals_recorded_at", "recorded_at"),
    Index("ix_refusals_team", "team_id", "recorded_at", "command_offset"),
    Index("ix_refusals_code", "team_id", "code", "recorded_at", "command_offset"),
    Index("ix_refusals_actor", "team_id", text('"left"(actor, 256)'), "recorded_at", "command_offset"),
    comment="Every command that was refused, while its outcome is kept; item is ready-made JSON",
)

decider_positions = Table(
    "decider_positions",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_command_offset", BigInteger, nullable=False),
    Column("events_end", BigInteger, nullable=False),
    comment="The position in the last outcome or mark that the outcomes projection has seen",
)
