"""What casemate.toml makes of a region: its labels, and the models that may be asked at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.errors import Misconfigured
from casemate.models import READER
from casemate.settings import RegionSettings, Settings, Upstream
from casemate.wiring.engines import catalogue, region_of

US = RegionSettings(name="r", agency="NAVY", policies=("us", "house"))


def test_floor_and_ceiling_are_the_policies_own_unless_said() -> None:
    region = region_of(US)
    assert region.floor.text == "agency=NAVY"
    assert region.floor <= region.ceiling
    said = region_of(RegionSettings("r", "NAVY", ("us",), floor="us:CONFIDENTIAL", ceiling="us:SECRET"))
    assert said.floor.text.startswith("agency=NAVY + us:CONFIDENTIAL")
    assert said.ceiling.text.startswith("agency=NAVY + us:SECRET")


@pytest.mark.parametrize(
    "wrong",
    [
        RegionSettings(policies=("us",), floor="us:SECRET", ceiling="us:CONFIDENTIAL"),
        RegionSettings(policies=("us",), floor="us:NO SUCH"),
        RegionSettings(policies=("us",), ceiling="purple"),
        RegionSettings(policies=("atlantis",)),
    ],
)
def test_labels_that_cannot_be(wrong: RegionSettings) -> None:
    with pytest.raises(Misconfigured):
        region_of(wrong)


@pytest.mark.parametrize(
    ("url", "said", "reaches", "outside"),
    [
        ("http://127.0.0.1:8080/v1", "", "ceiling", False),
        ("http://[::1]:8080/v1", "", "ceiling", False),
        ("http://localhost/v1", "", "ceiling", False),
        ("http://models.example/v1", "", "floor", True),
        ("http://10.0.0.1/v1", "us:SECRET", "us:SECRET", True),
    ],
)
def test_an_upstream_may_be_sent_what_its_place_allows(url: str, said: str, reaches: str, outside: bool) -> None:
    region = region_of(US)
    settings = Settings(region=US, upstreams={"far": Upstream(url, "m", said, key_file="far.key")})
    cards = catalogue(region, settings, Path("keys")).cards
    assert set(cards) == {READER, "far"}
    expected = {"ceiling": region.ceiling, "floor": region.floor}.get(reaches)
    assert cards["far"].accreditation is (expected or region.label(reaches))
    assert cards["far"].outside is outside
    assert cards["far"].served == "m"


def test_an_accreditation_that_cannot_be_names_its_setting() -> None:
    settings = Settings(region=US, upstreams={"far": Upstream("http://x/v1", "m", "us:PURPLE")})
    with pytest.raises(Misconfigured) as told:
        catalogue(region_of(US), settings, Path("keys"))
    assert told.value.facts["setting"] == "upstreams.far.accreditation"
