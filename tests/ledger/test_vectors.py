"""The SHA-256 profile is everybody else's tree: Certificate Transparency's vectors, and pymerkle beside it."""

from __future__ import annotations

import random

import pytest

from casemate.ledger import (
    SHA256,
    Frontier,
    Place,
    Tiled,
    consistency_proof,
    cut,
    grown,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
GREW = {
    (1, 1): [],
    (1, 8): PATHS[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
HASHES = leaf_hashes(LEAVES, SHA256)


def test_the_roots_of_certificate_transparency() -> None:
    assert [root_of(HASHES[:size], SHA256).hex() for size in range(9)] == ROOTS
    assert [leaf_hash(each, SHA256) for each in LEAVES] == HASHES


@pytest.mark.parametrize(("place", "path"), PATHS.items())
def test_the_paths_of_certificate_transparency(place: tuple[int, int], path: list[str]) -> None:
    index, size = place
    proof = inclusion_proof(HASHES[:size], index, SHA256)
    assert [each.hex() for each in proof] == path
    assert verify_inclusion(HASHES[index], index, size, proof, bytes.fromhex(ROOTS[size]), SHA256)


@pytest.mark.parametrize(("sizes", "path"), GREW.items())
def test_the_consistency_proofs_of_certificate_transparency(sizes: tuple[int, int], path: list[str]) -> None:
    old, size = sizes
    proof = consistency_proof(HASHES[:size], old, SHA256)
    assert [each.hex() for each in proof] == path
    old_root, root = (bytes.fromhex(ROOTS[each]) for each in (old, size))
    assert verify_consistency(old, old_root, size, root, proof, SHA256)


def test_pymerkle_agrees() -> None:
    """An implementation of others' over SHA-256: roots, paths from tiles, and its own check of them."""
    pymerkle = pytest.importorskip("pymerkle")
    seed = random.SystemRandom().randrange(1 << 30)
    rng = random.Random(seed)
    print(f"\npymerkle: seed {seed}")
    data = [rng.randbytes(rng.randrange(40)) for _ in range(rng.randrange(300, 600))]
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for each in data:
        tree.append_entry(each)
    leaves = leaf_hashes(data, SHA256)
    tiles: dict[Place, bytes] = {}
    at = 0
    while at < len(leaves):
        step = rng.randrange(1, 200)
        tiles.update(grown(lambda place: cut(tiles[place], SHA256), at, leaves[at : at + step], SHA256))
        at = min(len(leaves), at + step)
    own = Tiled(lambda place: cut(tiles[place], SHA256), len(leaves), SHA256)
    for size in (1, 2, 255, 256, 257, len(leaves)):
        assert tree.get_root(size) == own.root(size)
    for _ in range(30):
        size = rng.randrange(2, len(leaves) + 1)
        index = rng.randrange(size)
        told = tree.prove_inclusion(index + 1, size).serialize()["path"]
        ours = [leaves[index], *own.inclusion(index, size)]
        assert sorted(told) == sorted(each.hex() for each in ours)
        pymerkle.verify_inclusion(leaves[index], tree.get_root(size), tree.prove_inclusion(index + 1, size))
        old = rng.randrange(1, size)
        assert verify_consistency(
            old, tree.get_root(old), size, tree.get_root(size), own.consistency(old, size), SHA256
        )


def test_a_frontier_of_another_hash_takes_no_other_hashes() -> None:
    with pytest.raises(ValueError, match="one peak"):
        Frontier(1, [bytes(48)], SHA256)
    assert Frontier(profile=SHA256).root().hex() == ROOTS[0]
