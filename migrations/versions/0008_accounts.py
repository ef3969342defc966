"""Accounts: a schema of its own, beside the generations."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SCHEMA = "identity"
_USERS = "identity.users.user_id"


def upgrade() -> None:
    """Make the schema and the tables of accounts."""
    op.execute(f"CREATE SCHEMA {_SCHEMA}")
    _users()
    _tokens()
    _attempts()
    _mails()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("username_key", sa.Text(collation="C"), nullable=False, comment="In lower case"),
        sa.Column("email", sa.Text(), comment="NULL once the account is deactivated"),
        sa.Column("email_key", sa.Text(collation="C"), comment="In lower case"),
        sa.Column("password_hash", sa.Text(), comment="NULL once the account is deactivated"),
        sa.Column("email_verified_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column(
            "password_changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column("deactivated_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("username_key", name=op.f("uq_users_username_key")),
        comment="Accounts; events name them by user_id alone",
        schema=_SCHEMA,
    )
    op.create_index(
        "uq_users_verified_email",
        "users",
        ["email_key"],
        unique=True,
        schema=_SCHEMA,
        postgresql_where=sa.text("email_verified_at IS NOT NULL"),
    )
    op.create_index("ix_users_email_key", "users", ["email_key", "created_at"], schema=_SCHEMA)


def _of_user(*, nullable: bool = False) -> sa.Column[str]:
    return sa.Column("user_id", sa.UUID(as_uuid=False), nullable=nullable)


def _foreign_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], [_USERS], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE"
    )


def _tokens() -> None:
    op.create_table(
        "one_time_tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token"),
        _of_user(),
        sa.Column("purpose", sa.Text(), nullable=False, comment="verify_email or reset_password"),
        sa.Column(
            "email_key", sa.Text(collation="C"), nullable=False, comment="The address that it was sent to"
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_one_time_tokens")),
        _foreign_key("one_time_tokens"),
        comment="What was sent by mail, good for one use",
        schema=_SCHEMA,
    )
    for columns in (["user_id", "purpose"], ["expires_at"]):
        name = op.f(f"ix_one_time_tokens_{'_'.join(columns)}")
        op.create_index(name, "one_time_tokens", columns, schema=_SCHEMA)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("subject", sa.LargeBinary(), nullable=False, comment="SHA-256 of the name that was tried"),
        sa.Column("source", sa.LargeBinary(), nullable=False, comment="SHA-256 of where from"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Until then no password is looked at",
        ),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "source", name=op.f("pk_attempts")),
        comment="Passwords that were tried and are not known to have been right",
        schema=_SCHEMA,
    )
    op.create_index(op.f("ix_attempts_last_at"), "attempts", ["last_at"], schema=_SCHEMA)
    op.create_table(
        "known_sources",
        _of_user(),
        sa.Column("source", sa.LargeBinary(), nullable=False, comment="SHA-256, as in attempts"),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("user_id", "source", name=op.f("pk_known_sources")),
        _foreign_key("known_sources"),
        comment="Where each user was before: guesses made elsewhere do not count there",
        schema=_SCHEMA,
    )
    op.create_index(op.f("ix_known_sources_seen_at"), "known_sources", ["seen_at"], schema=_SCHEMA)


def _mails() -> None:
    op.create_table(
        "session_endings",
        sa.Column("ending_id", sa.BigInteger(), sa.Identity(), nullable=False),
        _of_user(),
        sa.Column("but_session", sa.Text(), comment="The session that stays"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("ending_id", name=op.f("pk_session_endings")),
        _foreign_key("session_endings"),
        comment="Sessions that a new password ends: written with it, gone when it is done",
        schema=_SCHEMA,
    )
    op.create_table(
        "mails",
        sa.Column("mail_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="What it says"),
        _of_user(nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(collation="C"), nullable=False, comment="In lower case"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("result", sa.Text(), comment="sent, not_sent or the last failure"),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_mails")),
        _foreign_key("mails"),
        comment="The outbox. A link's token is made when it is sent, and stands nowhere",
        schema=_SCHEMA,
    )
    op.create_index(
        "ix_mails_waiting",
        "mails",
        ["next_at", "mail_id"],
        schema=_SCHEMA,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    for columns in (["address_key", "done_at"], ["done_at"]):
        op.create_index(op.f(f"ix_mails_{'_'.join(columns)}"), "mails", columns, schema=_SCHEMA)


def downgrade() -> None:
    """Drop accounts for good: nothing else has them."""
    for table in ("mails", "session_endings", "known_sources", "attempts", "one_time_tokens", "users"):
        op.drop_table(table, schema=_SCHEMA)
    op.execute(f"DROP SCHEMA {_SCHEMA}")
