"""Checksums: the two codes that the standard library has not, by their definitions; and what a body is held to."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.s3.checksums import ALGORITHMS, PREFIX, Checks
from casemate.doors.s3.crc import CRC32C, CRC64NVME, Crc
from casemate.errors import BadInput


def by_definition(code: Crc, data: bytes) -> int:
    """Bit by bit (RFC 3720, appendix B.4; NVM Express, "64b CRC")."""
    ones = (1 << code.width) - 1
    reverse, state = int(format(code.generator, f"0{code.width}b")[::-1], 2), ones
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (reverse if state & 1 else 0)
    return state ^ ones


@pytest.mark.parametrize(("code", "value"), [(CRC32C, 0xE3069283), (CRC64NVME, 0xAE8B14860A799888)])
def test_the_check_value_of_the_catalogue(code: Crc, value: int) -> None:
    assert code.update(0, b"123456789") == value


@given(st.sampled_from([CRC32C, CRC64NVME]), st.binary(max_size=300), st.integers(1, 40), st.integers(0, 12_000))
def test_a_code_is_as_defined_however_it_is_fed(code: Crc, data: bytes, times: int, cut: int) -> None:
    whole = data * times
    expected = by_definition(code, whole)
    assert code.update(0, whole) == expected
    assert code.update(code.update(0, whole[:cut]), memoryview(whole)[cut:]) == expected


def value(name: str, data: bytes) -> str:
    made = ALGORITHMS[name]()
    made.update(data)
    return base64.b64encode(made.digest()).decode()


def judged(headers: dict[str, str], body: bytes, trailer: str = "", trailers: dict[str, str] | None = None) -> str:
    """The code of the error that a body meets, "" for none."""
    try:
        checks = Checks(headers, trailer, "", "en")
        checks.update(body[:2])
        checks.update(body[2:])
        checks.judge(trailers or {})
    except BadInput as error:
        return str(error.facts["code"])
    return ""


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_checksum_before_or_behind_the_body(name: str) -> None:
    right = {PREFIX + name: value(name, b"hello")}
    assert judged(right, b"hello") == ""
    assert judged(right, b"hellO") == "BadDigest"
    assert judged({}, b"hello", PREFIX + name, right) == ""
    assert judged({}, b"hellO", PREFIX + name, right) == "BadDigest"
    assert judged({}, b"hello", PREFIX + name) == "MalformedTrailerError"
    assert judged(right, b"hello", PREFIX + name, right) == "InvalidRequest"
    assert judged({PREFIX + name: "AAAA"}, b"hello") == ("BadDigest" if name == "none" else "InvalidDigest")
    assert judged({PREFIX + name: "é"}, b"hello") == "InvalidDigest"


def test_content_md5() -> None:
    right = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    assert judged({"content-md5": right}, b"hello") == ""
    assert judged({"content-md5": right}, b"Hello") == "BadDigest"
    assert judged({"content-md5": "x"}, b"hello") == "InvalidDigest"


def test_a_trailer_that_is_none() -> None:
    assert judged({}, b"", "x-amz-checksum-crc99") == "InvalidRequest"
    assert judged({}, b"", "content-md5") == "InvalidRequest"
