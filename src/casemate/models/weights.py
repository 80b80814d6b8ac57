"""Weights that come as files: looked at by content, digested, held against their signature and their bill.

The files lie where an engine can read them and are not the store's; what the region knows of them is their digests.
Nothing of them is run, unpacked or parsed beyond its head. Slow: the caller runs it in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from casemate.errors import BadInput
from casemate.models.bom import BadBill, billed, is_bill
from casemate.models.formats import Bytes, NotAModel, Pickle, recognised
from casemate.models.record import FILES, GIGABYTES, EngineSpec, FileDigest
from casemate.models.signing import LONGEST, SIGNATURE, Unsigned, spelled, verified
from casemate.words import say

__all__ = ["Tree", "Weights", "changed", "runs", "taken_in"]

_MODELS = ("gguf", "onnx", "safetensors")
_CHAT = frozenset({"genai_config.json", "tokenizer.json"})
_TEMPLATES = frozenset({"chat_template.jinja", "tokenizer_config.json"})


class Tree(Protocol):
    """A folder of plain files. Implementations follow no link, and stop at FILES files."""

    def files(self) -> Sequence[tuple[str, Bytes]]:
        """Paths (with `/`) and files, by path. Raises BadInput for a link, a device or too many."""
        ...

    def digests(self, path: str) -> tuple[str, str]:
        """SHA-256 and SHA-384 of a file, in hexadecimal."""
        ...


@dataclass(frozen=True, slots=True)
class Weights:
    """What was found: the files, the formats of those that are models, who signed them, whether a bill came along.

    `signed_by`: the fingerprint of the signer's key, and `signer` the key itself in PEM; "" for none.
    """

    files: tuple[FileDigest, ...]
    formats: tuple[str, ...]
    signed_by: str = ""
    signer: str = ""
    bom: bool = False


def taken_in(tree: Tree, signer: str, language: str) -> Weights:
    """Look at everything in a folder. Raises BadInput for the first thing that may not come in.

    `signer`: an EC public key in PEM under which the files have to be signed; "" where they bear no signature.
    """
    listed = tree.files()
    if sum(file.size for _, file in listed) > GIGABYTES << 30:
        raise BadInput(what=say("catalogue.many", language, files=FILES, size=GIGABYTES))
    formats = {_format(path, file, language) for path, file in listed}
    if not formats & set(_MODELS):
        raise BadInput(what=say("catalogue.empty", language))
    found = {path: FileDigest(path, file.size, *tree.digests(path)) for path, file in listed}
    signed_by, key = _signed(dict(listed), found, signer, language)
    bills = [path for path in found if is_bill(path)]
    for path in bills:
        try:
            billed(_whole(dict(listed)[path]), found)
        except BadBill as error:
            raise BadInput(what=say("catalogue.bom", language, why=str(error))) from None
    return Weights(tuple(found.values()), tuple(sorted(formats & set(_MODELS))), signed_by, key, bool(bills))


def runs(name: str, weights: Weights) -> EngineSpec:
    """What serves imported files: an ONNX chat model, as onnxruntime-genai has it, runs here; others, nobody."""
    names = {file.path for file in weights.files}
    if "onnx" in weights.formats and names >= _CHAT and names & _TEMPLATES:
        return EngineSpec("onnx", model=name)
    return EngineSpec()


def changed(tree: Tree, files: Iterable[FileDigest]) -> str:
    """The first path whose file is not what was imported, "" where all are; one more than there was is a change."""
    known = {file.path: file for file in files}
    there = {path for path, _ in tree.files()}
    for path in sorted(there ^ set(known)):
        return path
    for path, file in known.items():
        if tree.digests(path) != (file.sha256, file.sha384):
            return path
    return ""


def _format(path: str, file: Bytes, language: str) -> str:
    shown = path[:200]
    try:
        return recognised(file)
    except Pickle:
        raise BadInput(what=say("catalogue.pickle", language, path=shown)) from None
    except NotAModel as error:
        if error.format:
            raise BadInput(
                what=say("catalogue.broken", language, path=shown, format=error.format, why=error.why)
            ) from None
        raise BadInput(what=say("catalogue.unknown", language, path=shown)) from None


def _signed(files: dict[str, Bytes], found: dict[str, FileDigest], signer: str, language: str) -> tuple[str, str]:
    """The fingerprint of who signed, and the key; ("", "") where there is no signature."""
    bundle = files.get(SIGNATURE)
    if bundle is None:
        if signer:
            raise BadInput(what=say("catalogue.unsigned", language, why=f"{SIGNATURE} is not there"))
        return "", ""
    if not signer:
        raise BadInput(what=say("catalogue.signer", language))
    digests = {path: file.sha256 for path, file in found.items() if path != SIGNATURE}
    try:
        return verified(_whole(bundle), signer.encode(), digests), spelled(signer.encode())
    except Unsigned as error:
        raise BadInput(what=say("catalogue.unsigned", language, why=str(error))) from None


def _whole(file: Bytes) -> bytes:
    """All of a small file; one byte more than is believed is enough to be refused."""
    return file.at(0, min(file.size, LONGEST + 1))
