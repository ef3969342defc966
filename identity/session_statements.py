"""What is said to Postgres of sessions and refresh tokens."""

LOCK_USER = "SELECT pg_advisory_xact_lock(hashtextextended('identity.sessions:' || $1, 0))"
"""Logins of a user, and the end of all their sessions, happen one after the other."""

UNCHANGED_USER = """
SELECT true FROM identity.users
 WHERE user_id = $1 AND password_changed_at = $2 AND deactivated_at IS NULL FOR SHARE
"""

ENDED_SINCE = (
    "SELECT EXISTS (SELECT FROM identity.revocations WHERE kind = 'user' AND subject = $1 AND at >= $2)"
)

CROWDED = """
SELECT session_id::text FROM identity.sessions
 WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now()
 ORDER BY last_used_at DESC OFFSET $2::bigint FOR UPDATE
"""

OPEN = """
INSERT INTO identity.sessions (session_id, user_id, device, address, expires_at, generation)
VALUES ($1, $2, $3, $4, now() + $5::interval, 0)
"""

ISSUE = """
INSERT INTO identity.refresh_tokens (hash, session_id, generation, expires_at)
VALUES ($1, $2, $3, now() + $4::interval)
"""

LOCK_SESSION = """
SELECT session_id::text, user_id, generation, ended_at IS NOT NULL AS ended,
       expires_at <= clock_timestamp() AS expired,
       (SELECT username FROM identity.users AS u
         WHERE u.user_id = s.user_id::uuid AND deactivated_at IS NULL) AS username
  FROM identity.sessions AS s
 WHERE session_id = (SELECT session_id FROM identity.refresh_tokens WHERE hash = $1) FOR UPDATE
"""

GIVEN = """
SELECT hash, generation, expires_at <= clock_timestamp() AS expired,
       coalesce(used_at + make_interval(secs => $2::float8) >= clock_timestamp(), false) AS in_grace
  FROM identity.refresh_tokens WHERE hash = $1
"""

USE = "UPDATE identity.refresh_tokens SET used_at = coalesce(used_at, clock_timestamp()) WHERE hash = $1"

ADVANCE = """
UPDATE identity.sessions SET generation = $2, last_used_at = clock_timestamp(), address = $3
 WHERE session_id = $1
"""

FORGET = "DELETE FROM identity.refresh_tokens WHERE session_id = $1 AND generation < $2"

LIST = """
SELECT session_id::text, user_id, device, address, created_at, last_used_at, expires_at FROM identity.sessions
 WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() ORDER BY last_used_at DESC
"""

OWN = """
SELECT true FROM identity.sessions WHERE session_id = $1 AND user_id = $2 AND ended_at IS NULL FOR UPDATE
"""

ALL = """
SELECT session_id::text FROM identity.sessions
 WHERE user_id = $1 AND ended_at IS NULL AND session_id IS DISTINCT FROM $2::uuid FOR UPDATE
"""

END = "UPDATE identity.sessions SET ended_at = clock_timestamp() WHERE session_id = ANY($1::uuid[])"

CLEAN = """
WITH gone AS (DELETE FROM identity.revocations WHERE expires_at < now() - interval '1 hour')
DELETE FROM identity.sessions
 WHERE expires_at < now() - interval '30 days' OR ended_at < now() - interval '30 days'
"""
"""Ended sessions are kept for a while, so that a stolen token that comes late is told from an unknown one."""
