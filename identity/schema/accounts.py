"""The tables of accounts: who they are, what they can prove once, and who was guessing at them."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)

from identity.schema.columns import Exact, Id, Time, metadata

users = Table(
    "users",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("username", Text, nullable=False),
    Column("username_key", Exact, nullable=False, unique=True, comment="In lower case"),
    Column("email", Text, comment="NULL once the account is deactivated"),
    Column("email_key", Exact, comment="In lower case"),
    Column("password_hash", Text, comment="NULL once the account is deactivated"),
    Column("email_verified_at", Time),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("password_changed_at", Time, nullable=False, server_default=func.now()),
    Column("deactivated_at", Time),
    # Many may claim an address, and whoever shows that it is theirs has it.
    Index(
        "uq_users_verified_email",
        "email_key",
        unique=True,
        postgresql_where=text("email_verified_at IS NOT NULL"),
    ),
    Index("ix_users_email_key", "email_key", "created_at"),
    comment="Accounts; events name them by user_id alone",
)


def _of_user(*, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    """A column with the user that a row belongs to."""
    target = ForeignKey(users.c.user_id, ondelete="CASCADE")
    return Column("user_id", Id, target, nullable=nullable, primary_key=primary_key)


one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256 of the token"),
    _of_user(),
    Column("purpose", Text, nullable=False, comment="verify_email or reset_password"),
    Column("email_key", Exact, nullable=False, comment="The address that it was sent to"),
    Column("expires_at", Time, nullable=False),
    Column("used_at", Time),
    Index(None, "user_id", "purpose"),
    Index(None, "expires_at"),
    comment="What was sent by mail, good for one use",
)

attempts = Table(
    "attempts",
    metadata,
    Column("subject", LargeBinary, primary_key=True, comment="SHA-256 of the name that was tried"),
    Column("source", LargeBinary, primary_key=True, comment="SHA-256 of where from"),
    Column("failures", Integer, nullable=False),
    Column("next_at", Time, nullable=False, comment="Until then no password is looked at"),
    Column("last_at", Time, nullable=False),
    Index(None, "last_at"),
    comment="Passwords that were tried and are not known to have been right",
)

known_sources = Table(
    "known_sources",
    metadata,
    _of_user(primary_key=True),
    Column("source", LargeBinary, primary_key=True, comment="SHA-256, as in attempts"),
    Column("seen_at", Time, nullable=False, server_default=func.now()),
    Index(None, "seen_at"),
    comment="Where each user was before: guesses made elsewhere do not count there",
)

session_endings = Table(
    "session_endings",
    metadata,
    Column("ending_id", BigInteger, Identity(), primary_key=True),
    _of_user(),
    Column("but_session", Text, comment="The session that stays"),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    comment="Sessions that a new password ends: written with it, gone when it is done",
)

mails = Table(
    "mails",
    metadata,
    Column("mail_id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False, comment="What it says"),
    _of_user(nullable=True),
    Column("address", Text, nullable=False),
    Column("address_key", Exact, nullable=False, comment="In lower case"),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("next_at", Time, nullable=False, server_default=func.now()),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("done_at", Time),
    Column("result", Text, comment="sent, not_sent or the last failure"),
    Index("ix_mails_waiting", "next_at", "mail_id", postgresql_where=text("done_at IS NULL")),
    Index(None, "address_key", "done_at"),
    Index(None, "done_at"),
    comment="The outbox. A link's token is made when it is sent, and stands nowhere",
)
