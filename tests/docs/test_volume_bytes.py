"""docs/bytes/volumes.md is enough to join a set: it is done here by that page, with the standard library alone."""

from __future__ import annotations

import base64
import hashlib
import random
import struct
from pathlib import Path

from casemate.transfer.volumes.gaps import Gap, write_code
from casemate.transfer.volumes.volume import padded
from tests.engines.volumes import made

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def sha(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def times(a: int, b: int) -> int:
    found = 0
    for _ in range(8):
        found ^= a if b & 1 else 0
        a, b = a << 1 ^ (0x11D if a & 128 else 0), b >> 1
    return found


def power(a: int, n: int) -> int:
    found = 1
    for _ in range(n % 255):
        found = times(found, a)
    return found


def coefficient(i: int, j: int) -> int:
    if i < 2:
        return power(power(2, j), i)
    return power(power(2, i - 1) ^ power(2, -j), 254)


class Volume:
    """One volume, every rule of the page asserted."""

    def __init__(self, raw: bytes) -> None:
        assert raw[:8] == raw[-8:] == b"CMVOL\0\0\1"
        (size,) = struct.unpack_from("<I", raw, 8)
        assert raw[-12:-8] == raw[8:12]
        head = raw[:size]
        assert raw[-12 - size : -12] == head
        assert sha(head[:-64]) == head[-64:]
        self.set, self.carried, self.number, self.k, self.n, self.frame, frames, total, wide = struct.unpack_from(
            "<16s16sHHHIQQH", head, 12
        )
        at = 72
        self.banner, at = head[at : at + wide].decode(), at + wide
        roots, at = head[at : at + 64 * self.n], at + 64 * self.n
        count = -(-frames // 1024)
        pages, at = head[at : at + 64 * count], at + 64 * count
        assert head[at:-64] == b"\0\0", "not signed"
        assert total == self.k * frames * self.frame
        whole = sha(b"casemate bundle set v1\n" + head[28:44] + head[46:72] + head[72 : 72 + wide] + roots)
        assert whole[:16] == self.set
        assert sha(b"casemate bundle root v1\n" + pages) == roots[64 * (self.number - 1) : 64 * self.number]
        table = raw[size : size + 64 * frames]
        assert b"".join(sha(table[i : i + 65536]) for i in range(0, len(table), 65536)) == pages
        self.body = raw[size + len(table) : -12 - size]
        cut = [self.body[i : i + self.frame] for i in range(0, len(self.body), self.frame)]
        assert b"".join(map(sha, cut)) == table


def test_a_set_is_joined_by_these_rules(tmp_path: Path) -> None:
    """Two of data are lost: their sums are in three parity volumes, of which the last two are left."""
    content, cut = made(tmp_path, 7, 3, size=9000)
    volumes = {number: Volume(path.read_bytes()) for number, path in enumerate(cut.files, 1)}
    name = base64.b32encode(volumes[1].set[:5]).decode().lower()
    assert [path.name for path in cut.files] == [f"{name}-{n:03}of007.cmv" for n in range(1, 8)]
    data = [bytearray(volumes[j + 1].body) for j in range(4)]
    whole = b"".join(data)
    size = int.from_bytes(whole[-8:], "little")
    assert whole[:size] == content
    assert not any(whole[size:-8])
    for i in range(3):
        summed = bytearray(len(data[0]))
        for j, column in enumerate(data):
            c = coefficient(i, j)
            product = bytes(times(c, b) for b in range(256))
            summed = bytearray(a ^ b for a, b in zip(summed, column.translate(product), strict=True))
        assert bytes(summed) == volumes[5 + i].body


def test_a_size_is_padded_by_this_rule() -> None:
    for size in random.Random(1).sample(range(2, 1 << 40), 500):
        bits = size.bit_length() - 1
        step = 1 << bits - bits.bit_length()
        assert padded(size) == -(-size // step) * step


def test_a_code_is_written_by_this_rule() -> None:
    said = bytes([1]) + b"abcde" + bytes([8, 10]) + bytes([0b01000000, 0b10000000])
    said += sha(said)[:2]
    bits = "".join(f"{byte:08b}" for byte in said)
    bits += "0" * (-len(bits) % 20)
    told = []
    for number in range(len(bits) // 20):
        signs = [int(bits[number * 20 + at : number * 20 + at + 5], 2) for at in range(0, 20, 5)]
        check = number % 32
        for sign in [*signs, 0]:
            check = check << 1 ^ (0b100101 if check & 16 else 0) ^ sign
        told.append("".join(SIGNS[sign] for sign in [*signs, check]))
    assert write_code(Gap(b"abcde", 8, 10, (2, 9))) == " ".join(told)
