"""What a region says of where its blobs lie."""

from __future__ import annotations

import pytest

from casemate.errors import Misconfigured
from casemate.settings import parse

GOOD = 'kind = "s3"\nbucket = "b"\nendpoint = "https://s3.example"\nkey_file = "s3.key"\n'


def test_blobs_are_files_unless_somebody_says_otherwise() -> None:
    assert (parse("").blobs.kind, parse("").blobs.cache_mb) == ("files", 4096)


@pytest.mark.parametrize("endpoint", ["https://s3.example", "http://127.0.0.1:9000", "http://localhost:9000"])
def test_a_bucket_is_reached_by_https_or_on_this_machine(endpoint: str) -> None:
    assert parse(f"[blobs]\n{GOOD}".replace("https://s3.example", endpoint)).blobs.endpoint == endpoint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "nfs"', "casemate.toml"),
        ('bucket = "b"', "blobs.kind"),
        (GOOD.replace('"b"', '""'), "blobs.bucket"),
        (GOOD.replace("https", "http"), "blobs.endpoint"),
        (GOOD.replace("https://s3.example", ""), "blobs.endpoint"),
        (GOOD.replace("s3.key", ""), "blobs.key_file"),
        (GOOD + 'key_env = "X"', "blobs.key_file"),
        (GOOD + "seconds = 0", "blobs.seconds"),
        (GOOD + "cache_mb = 0", "blobs.cache_mb"),
    ],
)
def test_what_cannot_be_is_named(text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        parse(f"[blobs]\n{text}")
    assert raised.value.facts["setting"] == said
