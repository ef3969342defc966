import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.identifiers import is_uuid, is_uuid7, uuid7, uuid7_ms
from tests.strategies import REPEATABLE

# RFC 9562, appendix A.6: its time, and rand_a and rand_b with the bits of version and variant left zero.
VECTOR = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
VECTOR_MS = 0x017F22E279B0
VECTOR_RANDOM = bytes.fromhex("0cc3" + "18c4dc0c0c07398f")


def test_version_7_is_as_the_rfc_writes_it() -> None:
    assert uuid7(VECTOR_MS, VECTOR_RANDOM) == VECTOR
    assert uuid7_ms(VECTOR) == VECTOR_MS == 1_645_557_742_000
    assert is_uuid7(VECTOR)


@REPEATABLE
@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_every_time_and_randomness_make_a_version_7_uuid(unix_ms: int, random_bytes: bytes) -> None:
    text = uuid7(unix_ms, random_bytes)
    value = uuid.UUID(text)
    assert (value.version, value.variant, str(value)) == (7, uuid.RFC_4122, text)
    assert is_uuid7(text)
    assert uuid7_ms(text) == unix_ms


def test_uuids_made_later_sort_later() -> None:
    assert uuid7(1, b"\xff" * 10) < uuid7(2, bytes(10)) < uuid7(2**47, bytes(10))


@pytest.mark.parametrize("count", [0, 9, 11])
def test_any_other_number_of_random_bytes_is_an_error(count: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7(0, bytes(count))


@pytest.mark.parametrize(
    "text",
    [
        "",
        VECTOR.upper(),
        "{" + VECTOR + "}",
        "urn:uuid:" + VECTOR,
        VECTOR.replace("-", ""),
        VECTOR + "\n",
        " " + VECTOR,
        VECTOR[:-1],
        VECTOR[:-1] + "g",
        VECTOR[:-1] + "\u0661",
        VECTOR.replace("-", "\u2010"),
    ],
)
def test_only_canonical_text_is_a_uuid(text: str) -> None:
    assert not is_uuid(text)
    assert not is_uuid7(text)


@pytest.mark.parametrize(
    "text",
    [
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-78c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_another_version_or_variant_is_a_uuid_and_no_version_7(text: str) -> None:
    assert is_uuid(text)
    assert not is_uuid7(text)
