"""What a region says of what each label may take of the records."""

from __future__ import annotations

import pytest

from casemate.errors import Misconfigured
from casemate.settings import parse


def test_no_label_has_a_share_unless_somebody_says_so() -> None:
    assert (parse("").records.share_mb, parse("").records.shares) == (0, {})


def test_one_share_for_all_and_others_for_some() -> None:
    told = parse('[records]\nshare_mb = 4\n[records.shares]\n"SECRET" = 9\n').records
    assert (told.share_mb, told.shares) == (4, {"SECRET": 9})


@pytest.mark.parametrize("text", ["share_mb = -1", 'shares = { "SECRET" = -1 }'])
def test_a_share_is_not_below_zero(text: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        parse(f"[records]\n{text}")
    assert raised.value.facts["setting"] == "records.share_mb"
