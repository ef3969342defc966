"""What usernames, e-mail addresses and passwords may be; pure."""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from identity.account_problems import malformed_account, weak_password

MAX_TYPED = 4096
"""Characters of anything typed that is looked at: nothing longer is right, and normalizing it takes long."""
MAX_EMAIL = 254
MIN_PASSWORD = 12
MAX_PASSWORD = 1024
_MIN_DISTINCT = 5
_MIN_NAME = 4
"""Characters of a name that make a password easy to guess when they stand in it."""
_USERNAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_COMMON = frozenset(
    (
        *("password1234", "password12345", "passwordpassword", "passw0rd1234", "administrator"),
        *("123456789012", "1234567890123", "12345678901234", "1q2w3e4r5t6y", "1qaz2wsx3edc"),
        *("qwertyuiop12", "qwertyuiop123", "qwertyuiop1234", "qwertyuiopasdfghjkl", "abcdefghijkl"),
        *("abcdefghijklm", "abcdefghijklmnopqrstuvwxyz", "iloveyou1234", "letmein12345", "welcome12345"),
        *("changeme1234", "correcthorsebatterystaple"),
    )
)


def username_of(typed: str) -> str:
    """A username as it is kept; raise `Problem` 400."""
    if not _USERNAME.fullmatch(typed):
        raise malformed_account("username", "1 to 64 of A-Z, a-z, 0-9, full stop, underscore and hyphen")
    return typed


def email_of(typed: str) -> str:
    """An address as it is kept, in one form of those that mean the same; raise `Problem` 400."""
    try:
        if len(typed) > MAX_EMAIL:
            raise EmailNotValidError("it is too long")
        found = validate_email(
            typed,
            check_deliverability=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise malformed_account("email", str(error)) from None
    return found.normalized


def key_of(name: str) -> str:
    """What two usernames, or two addresses, have in common if they are the same."""
    return unicodedata.normalize("NFC", name).lower()


def login_of(typed: str) -> str:
    """The key of a username or an address as typed at the door; what cannot be stored is nobody's."""
    key = key_of(typed.strip()) if len(typed) <= MAX_TYPED else ""
    return key if len(key) <= MAX_EMAIL and "\x00" not in key and _is_stable(key) else ""


def typed_password(typed: str) -> str | None:
    """A password as it is hashed; None if it cannot be anybody's.

    NIST SP 800-63B: one Unicode code point counts as one character, and what looks the same and is
    typed differently is the same (NFKC, the process for stabilized strings).
    """
    if not typed or len(typed) > MAX_TYPED:
        return None
    normal = unicodedata.normalize("NFKC", typed)
    if len(normal) > MAX_PASSWORD or "\x00" in normal or not _is_stable(normal):
        return None
    return normal


def new_password(typed: str, name: str, *names: str) -> str:
    """A new password as it is hashed, for someone with these names; raise `Problem` 400 if it is unfit."""
    normal = typed_password(typed)
    if normal is None or len(normal) < MIN_PASSWORD:
        reason = f"{MIN_PASSWORD} to {MAX_PASSWORD} characters, without U+0000 and what is no character"
        raise weak_password(reason, name)
    if len(set(normal)) < _MIN_DISTINCT:
        raise weak_password(f"fewer than {_MIN_DISTINCT} different characters", name)
    if normal.casefold() in _COMMON or _is_made_of(normal.casefold(), names):
        raise weak_password("among the first that are guessed", name)
    return normal


def _is_stable(text: str) -> bool:
    """No lone surrogate, and no code point whose normal form a later Unicode may define."""
    return not any(unicodedata.category(character) in ("Cs", "Cn") for character in text)


def _is_made_of(password: str, names: tuple[str, ...]) -> bool:
    """Whether little is left of a password without its owner's names."""
    for name in names:
        for part in {key_of(name), key_of(name).partition("@")[0]}:
            if len(part) >= _MIN_NAME and len(password.replace(part, "")) < _MIN_NAME:
                return True
    return False
