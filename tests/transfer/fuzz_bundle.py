"""A target for atheris: `python -m tests.transfer.fuzz_bundle -max_total_time=60 [CORPUS]`. No part of the suite."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["casemate.transfer"]):
    from tests.transfer.test_bundle_fuzz import whatever


def one(data: bytes) -> None:
    whatever(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
