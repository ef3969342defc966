"""Teams and organizations, their members, invitations and settings."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_REFILLED = ("heads", "names", "patterns", "changes", "history", "conflicts", "audit", "tiles", "tree_edges")
_TABLES = (
    *("teams", "members", "settings", "invitations"),
    *("organizations", "organization_members", "organization_teams", "organization_settings"),
)


def upgrade() -> None:
    """Add tables. Who belongs where is in the log alone: the projection begins anew."""
    _of_teams()
    _of_organizations()
    op.create_index("ix_members_member", "members", ["member", "team_id"])
    op.create_index(
        "ix_organization_members_member", "organization_members", ["member", "since", "organization_id"]
    )
    op.execute(f"TRUNCATE {', '.join(_REFILLED)}")
    for table in ("projected_logs", "checkpoints"):
        op.execute(f"DELETE FROM {table} WHERE projection = 'library'")  # noqa: S608 - our constants


def _of_teams() -> None:
    op.create_table(
        "teams",
        _id("team_id"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=True),
        _exact("tier", comment="Of its organization, as the team was told"),
        *_told("teams", "team_id"),
        comment="Every team",
    )
    op.create_table(
        "members",
        _id("team_id"),
        _exact("member"),
        _exact("role"),
        _exact("source", comment="team, or organization: as one of its admins"),
        *_told("members", "team_id", "member"),
        comment="What everybody is in the teams that they belong to: the rights to read",
    )
    op.create_table(
        "settings",
        _id("team_id"),
        _exact("name"),
        sa.Column("value", sa.Text(), nullable=False, comment="JSON text"),
        _exact("source", comment="enforced, team or default"),
        *_told("settings", "team_id", "name"),
        comment="What holds in each team, and who chose it",
    )
    op.create_table(
        "invitations",
        _id("team_id", comment="Of the log: a team's id, or an organization's"),
        _exact("stream", comment="team or organization"),
        _id("invitation_id"),
        _exact("role"),
        sa.Column("expires_at", sa.Text(), nullable=False),
        *_told("invitations", "team_id", "stream", "invitation_id"),
        comment="Invitations that were neither accepted nor taken back",
    )


def _of_organizations() -> None:
    op.create_table(
        "organizations",
        _id("organization_id"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _exact("tier"),
        *_told("organizations", "organization_id"),
        comment="Every organization",
    )
    op.create_table(
        "organization_members",
        _id("organization_id"),
        _exact("member"),
        _exact("role"),
        *_told("organization_members", "organization_id", "member"),
        comment="What everybody is in the organizations that they belong to",
    )
    op.create_table(
        "organization_teams",
        _id("organization_id"),
        _id("team_id"),
        sa.Column("name", sa.Text(), nullable=False),
        *_told("organization_teams", "organization_id", "team_id"),
        comment="The teams that each organization has given itself; their own logs may begin later",
    )
    op.create_table(
        "organization_settings",
        _id("organization_id"),
        _exact("name"),
        sa.Column("value", sa.Text(), nullable=False, comment="JSON text"),
        sa.Column(
            "enforced", sa.Boolean(), nullable=False, comment="Whether no team can choose another value"
        ),
        *_told("organization_settings", "organization_id", "name"),
        comment="What each organization has set for all its teams",
    )


def _id(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.UUID(as_uuid=False), nullable=False, comment=comment)


def _exact(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False, comment=comment)


def _told(table: str, *key: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    """Drop them; what they held is in the log."""
    for table in _TABLES:
        op.drop_table(table)
