"""An image without a daemon: an OCI layout or what `docker save` writes, as a tar archive, unpacked layer by layer.

OCI Image Format 1.1 (image-layout, manifest, layer: `.wh.NAME` takes a name away, `.wh..wh..opq` empties a folder).
Every blob is compared with the digest that names it. Devices and pipes are left out, owners and set-uid bits too.
Compressed by gzip or not at all: zstd is not in the standard library, and is said to be missing.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any

from casemate.cells.unpack.tree import Tree, Unpackable

__all__ = ["image"]

_PIECE = 1 << 20
_DOCUMENT = 8 << 20
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_LAYERS = 256


def image(path: str, tree: Tree, machine: str) -> None:
    """The image of a tar archive for this machine (as uname names it). Raises Unpackable."""
    try:
        with tarfile.open(path, "r:*") as archive:
            _Image(archive, tree, _MACHINES.get(machine, machine)).unpack()
    except (
        tarfile.TarError,
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the archive
        raise Unpackable("It is no image that can be read.") from None


class _Image:
    def __init__(self, archive: tarfile.TarFile, tree: Tree, machine: str) -> None:
        self._archive = archive
        self._tree = tree
        self._machine = machine
        self._members = {member.name.removeprefix("./"): member for member in archive if member.isfile()}

    def unpack(self) -> None:
        if "index.json" in self._members:
            layers = self._layout()
        elif "manifest.json" in self._members:
            layers = [(name, "") for name in self._document("manifest.json")[0]["Layers"]]
        else:
            raise Unpackable("It is neither an OCI layout nor a saved image.")
        if not 1 <= len(layers) <= _LAYERS:
            raise Unpackable("It has no layers, or too many.")
        for name, digest in layers:
            self._layer(name, digest)

    def _layout(self) -> list[tuple[str, str]]:
        """The layers of an OCI layout: index, manifest for this machine, and what that names."""
        described = self._document("index.json")
        for _ in range(3):  # an index may hold an index
            chosen = self._chosen(described["manifests"])
            described = self._blob_document(chosen["digest"])
            if chosen.get("mediaType") not in _INDEXES:
                break
        else:
            raise Unpackable("Its index holds nothing but indexes.")
        found = []
        for layer in described["layers"]:
            if str(layer.get("mediaType", "")).endswith("zstd"):
                raise Unpackable("A layer is compressed by zstd; save the image with gzip.")
            found.append((_blob(layer["digest"]), layer["digest"]))
        return found

    def _chosen(self, manifests: list[dict[str, Any]]) -> dict[str, Any]:
        fitting = [
            one
            for one in manifests
            if one.get("platform", {}).get("architecture", self._machine) == self._machine
            and one.get("platform", {}).get("os", "linux") == "linux"
        ]
        if len(fitting) != 1:
            raise Unpackable("It holds no image for this machine, or several.")
        return fitting[0]

    def _document(self, name: str) -> Any:
        member = self._members[name]
        if member.size > _DOCUMENT:
            raise Unpackable("It describes itself at too great length.")
        return json.loads(b"".join(self._pieces(member)))

    def _blob_document(self, digest: str) -> Any:
        member = self._members[_blob(digest)]
        if member.size > _DOCUMENT:
            raise Unpackable("It describes itself at too great length.")
        raw = b"".join(self._pieces(member))
        if f"sha256:{hashlib.sha256(raw).hexdigest()}" != digest:
            raise Unpackable("A part of it is not the one that its digest names.")
        return json.loads(raw)

    def _pieces(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        opened = self._archive.extractfile(member)
        assert opened is not None
        while piece := opened.read(_PIECE):
            yield piece

    def _layer(self, name: str, digest: str) -> None:
        """Compared first and unpacked after: nothing of a layer that is another one comes to lie in the tree."""
        member = self._members[name.removeprefix("./")]
        if digest:
            summed = hashlib.sha256()
            for piece in self._pieces(member):
                summed.update(piece)
            if f"sha256:{summed.hexdigest()}" != digest:
                raise Unpackable("A layer is not the one that its digest names.")
        opened = self._archive.extractfile(member)
        assert opened is not None
        zipped = opened.read(2) == b"\x1f\x8b"
        opened.seek(0)
        stream: Any = gzip.GzipFile(fileobj=opened) if zipped else opened
        with tarfile.open(fileobj=stream, mode="r|") as layer:
            for entry in layer:
                self._entry(layer, entry)

    def _entry(self, layer: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        folder, _, last = entry.name.rstrip("/").rpartition("/")
        if last == ".wh..wh..opq":
            self._tree.clear(folder)
        elif last.startswith(".wh."):
            self._tree.remove(f"{folder}/{last.removeprefix('.wh.')}")
        elif entry.isdir():
            self._tree.folder(entry.name, entry.mode)
        elif entry.isfile():
            opened = layer.extractfile(entry)
            assert opened is not None
            self._tree.file(entry.name, iter(lambda: opened.read(_PIECE), b""), entry.mode)
        elif entry.issym():
            self._tree.link(entry.name, entry.linkname)
        elif entry.islnk():
            self._tree.hard(entry.name, entry.linkname)


def _blob(digest: str) -> str:
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise Unpackable("A part of it is named by a digest that is unknown.")
    return f"blobs/sha256/{found[1]}"
