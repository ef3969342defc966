"""Which usernames, addresses and passwords are taken, and what is the same."""

import pytest

from identity.account_rules import email_of, key_of, login_of, new_password, typed_password, username_of
from runtime.problems import Problem

FIT = "a brass teapot sings"


def code_of(work: object, *arguments: str) -> str | None:
    assert callable(work)
    try:
        work(*arguments)
    except Problem as problem:
        return problem.code
    return None


@pytest.mark.parametrize("name", ["a", "Ada.Lovelace_1815-12", "x" * 64])
def test_a_username_is_kept_as_typed(name: str) -> None:
    assert username_of(name) == name


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "a b", "a@b", "ada\n", "аda", "ada\u200b", "ａda", "a:b", "a\x00", "é", "١"]
)
def test_what_looks_like_another_name_or_like_an_address_is_no_username(name: str) -> None:
    assert code_of(username_of, name) == "invalid_account"


@pytest.mark.parametrize(
    "address",
    [
        *("", "ada", "@example.org", "ada@", "ada@@example.org", "ada@example.org\r\nBcc: eve@example.org"),
        *("ada\x00@example.org", "a" * 300 + "@example.org", '"a b"@example.org', "ada@[192.0.2.1]"),
        *(
            "Ada <ada@example.org>",
            "ada@example.org, eve@example.org",
            "ada@exam\u200bple.org",
            "\ud800@x.org",
        ),
    ],
)
def test_what_is_no_address_is_refused_without_asking_the_network(address: str) -> None:
    assert code_of(email_of, address) == "invalid_account"


def test_one_address_has_one_form() -> None:
    assert email_of("Ada@EXAMPLE.org") == "Ada@example.org"
    assert email_of("ada@BÜCHER.example") == "ada@bücher.example"
    assert email_of("e\u0301va@example.org") == "éva@example.org"


def test_names_are_the_same_whatever_their_case_and_not_if_they_only_look_alike() -> None:
    assert key_of("ADA@Example.org") == login_of(" ada@example.ORG ")
    assert key_of("ada@example.org") != key_of("аda@example.org")


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    assert new_password("Ａngstro\u0308m and ﬁve", "p") == typed_password("Angstr\u00f6m and five")


@pytest.mark.parametrize("password", ["x" * 11, "\U0001f511" * 11, "", "a brass teapot\x00sings"])
def test_what_is_shorter_than_twelve_characters_or_has_a_nul_is_unfit(password: str) -> None:
    assert code_of(new_password, password, "p") == "unfit_password"


def test_a_password_has_up_to_1024_characters_however_many_bytes_they_are() -> None:
    longest = "\U0001f511abcd\U0001f5ddé\u4e2d" * 128
    assert len(longest) == 1024
    assert new_password(longest, "p") == longest
    assert code_of(new_password, longest + "x", "p") == "unfit_password"
    # One of these becomes eighteen when normalized.
    assert code_of(new_password, "\ufdfa" * 100, "p") == "unfit_password"


@pytest.mark.parametrize("password", ["abcdefghijk\ud800", "abcdefghijk\ufffe", "abcdefghijk\U000e0fff"])
def test_what_is_no_character_is_unfit_and_nobodys(password: str) -> None:
    assert code_of(new_password, password, "p") == "unfit_password"
    assert typed_password(password) is None


@pytest.mark.parametrize(
    "password",
    [
        *("ada-lovelace", "ADA-LOVELACE", "ada-lovelace12", "lovelace.ada@example.org", "lovelace.ada"),
        *("lovelace.ada!", "passwordpassword", "PassWord1234", "aaaaaaaaaaaa", "abababababab"),
    ],
)
def test_what_is_guessed_first_is_unfit(password: str) -> None:
    names = ("ada-lovelace", "lovelace.ada@example.org")
    assert code_of(new_password, password, "p", *names) == "unfit_password"


def test_a_long_password_may_have_a_name_in_it_and_has_no_rules_of_composition() -> None:
    assert new_password("ada keeps her teapot in the shed", "p", "ada") == "ada keeps her teapot in the shed"
    assert new_password(FIT, "p", "x", "y@example.org") == FIT
    assert new_password(" spaces at the ends ", "p") == " spaces at the ends "
