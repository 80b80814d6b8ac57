"""Policy files: what is packaged, what a site brings, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.errors import MarkingError, Misconfigured
from casemate.labels import PACKAGED, Policies, make_label
from casemate.labels.colour import contrast
from casemate.labels.policyfile import read_policy
from tests.labels.worlds import ALL, US

ACME = """
name = "acme"
version = "1"
title = { en = "Acme", fr = "Acme" }
source = "Acme"
levels = [{ name = "OPEN", portion = "O", colour = ["#000000", "#ffffff"] }]
"""


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_policy_says_where_it_comes_from(name: str) -> None:
    policy = ALL.listed[name]
    assert policy.name == name
    assert policy.source
    assert policy.title["en"]
    assert policy.title["fr"]
    assert all(contrast(*level.colour) >= 4.5 for level in policy.levels)
    assert policy.bottom.is_bottom
    assert policy.top.level == len(policy.levels) - 1


def test_a_region_lists_policies_in_its_order() -> None:
    assert Policies.load(["us", "house"]).names == ("us", "house")
    assert Policies.load(["us", "house"]).banner(make_label({})) == "UNCLASSIFIED"
    assert Policies.load(["house", "us"]).banner(make_label({})) == "PUBLIC"


@pytest.mark.parametrize(
    ("names", "extra", "why"),
    [
        ([], [], "at least one"),
        (["us", "us"], [], "listed once"),
        (["mars"], [], "no policy mars"),
        (["us"], ["name ="], "not TOML"),
        (["us"], ['name = "us"'], "not a policy"),
        (["us"], [ACME.replace("acme", "us")], "already"),
        (["us"], ['extends = "mars"'], "no policy mars"),
        (["us"], ['extends = "us"\ntokens.SPACE = ["X"]'], "no category SPACE"),
        (["us"], ['extends = "us"\ntokens.SCI = ["ZZ"]'], "ZZ is not a name that SCI leaves"),
        (["us"], ['extends = "us"\ntokens.SCI = ["SI-QQ-ABCD"]'], "is not a name"),
        (["us"], ['extends = "us"\ntokens.SCI = "SI-ABC"'], "SCI is a list of names"),
        (["us"], ['extends = "us"\ntokens = 3'], "an extension holds"),
        (["house"], ['teams = ["RED"]\nlevels = []'], "an extension holds"),
        (["house"], ['teams = ["RED"]\ntokens.PURPOSE = ["RED"]'], "RED is a name of TEAM and of PURPOSE"),
        (["us"], ['extends = "us"\ntokens.SAR = [{ also = ["X"] }]'], "SAR is a list of names"),
        (["us"], ['extends = "us"\ntokens.SAR = [{ name = "BP", also = "X" }]'], "SAR is a list of names"),
        (["us"], ['extends = "us"\nexpand = 3'], "expand names a category"),
        (["us"], ['extends = "us"\nexpand.REL = ["XABC"]'], "expand names a category"),
        (["us"], ['extends = "us"\nexpand.REL.XABC = "USA"'], "XABC is a list of names"),
        (["us"], ['extends = "us"\nexpand.REL.XABC = ["USA", "ATL"]'], "expand names tokens"),
        (["us"], ['extends = "us"\nexpand.REL.FVEY = ["USA"]'], "the members of FVEY are the policy's own"),
        (["us"], ['extends = "us"\nexpand.SCI.XABC = ["USA"]'], "SCI has no groups"),
        (["house"], ['teams = ["red"]'], "is not a name"),
        (["us"], [Path("/nonexistent/policy.toml")], "cannot be read"),
    ],
)
def test_what_cannot_be_a_policy_is_misconfigured(names: list[str], extra: list[Path | str], why: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Policies.load(names, extra)
    assert why in str(caught.value.facts["why"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('name = "acme"', 'name = "agency"'), "cannot be named"),
        (('name = "acme"', 'name = "Acme"'), "cannot be named"),
        ((', fr = "Acme"', ""), "en and fr"),
        (("#ffffff", "#111111"), "contrast"),
        (("#ffffff", "white"), "not a colour"),
        (('"OPEN"', '"A//B"'), "level cannot be named"),
        (("}]", '}, { name = "OPEN", portion = "P", colour = ["#000000", "#ffffff"] }]'), "each once"),
        (("levels = [", "levels = [] #["), "levels are one or more"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(change: tuple[str, str], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        read_policy(ACME.replace(*change), "acme.toml")


@pytest.mark.parametrize(
    ("category", "why"),
    [
        ('{ name = "x", type = "restrictive", section = 1, tokens = [] }', "category cannot be named"),
        ('{ name = "X", type = "odd", section = 1, tokens = [] }', "KeyError"),
        ('{ name = "X", type = "permissive", section = 1, tokens = [] }', "has an owner"),
        ('{ name = "X", type = "permissive", section = 1, owner = "A", tokens = [] }', "owner is a token"),
        ('{ name = "X", type = "restrictive", section = 1, tokens = ["a,b"] }', "token cannot be named"),
        ('{ name = "X", type = "restrictive", section = 1, tree = true, tokens = ["A-B"] }', "A is not declared"),
        ('{ name = "X", type = "restrictive", section = 1, tokens = [{ name = "A", levels = ["NO"] }] }', "levels are"),
        (
            '{ name = "X", type = "permissive", section = 1, owner = "A", tokens = ["A"], expand = { B = ["A"] } }',
            "expand names tokens",
        ),
        (", ".join(2 * ['{ name = "X", type = "restrictive", section = 1, tokens = [] }']), "named once"),
    ],
)
def test_a_category_that_contradicts_itself_is_refused(category: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        read_policy(f"{ACME}categories = [{category}]", "acme.toml")


def test_a_site_brings_a_policy_of_its_own(tmp_path: Path) -> None:
    where = tmp_path / "acme.toml"
    where.write_text(ACME + 'categories = [{ name = "X", type = "restrictive", section = 1, tokens = ["A"] }]\n')
    policies = Policies.load(["acme"], [where])
    label = policies.parse("OPEN//A")
    assert label.text == "acme:OPEN//X=A"
    assert policies.colour(label) == ("#000000", "#ffffff")
    with pytest.raises(Misconfigured, match="cannot be read"):
        Policies.load(["house"], [tmp_path])


def test_a_site_declares_teams_and_compartments() -> None:
    assert ALL.parse("CONFIDENTIAL//PAYROLL").text == "house:CONFIDENTIAL//TEAM=PAYROLL"
    assert "PAYROLL,RED-TEAM" in ALL.top().text
    assert "SI-G-ABCD" in US.top().text
    with pytest.raises(MarkingError):
        Policies.load(["house"]).parse("CONFIDENTIAL//PAYROLL")


def test_a_site_declares_programmes_groups_and_purposes() -> None:
    site = Policies.load(
        ["us", "house"],
        [
            'extends = "us"\ntokens.SAR = [{ name = "BP", also = ["BUTTER POPCORN"] }, "BP-J12"]',
            'extends = "us"\ntokens.NONIC = ["ACCM-TEA_LEAF"]\nexpand.REL.XABC = ["USA", "DEU", "FRA"]',
            'extends = "house"\ntokens.PURPOSE = ["CARE", "BILLING"]',
        ],
    )
    assert site.parse("SECRET//SAR-BUTTER POPCORN-J12//NOFORN") is site.parse("SECRET//SAR-BP-J12//NOFORN")
    assert site.parse("SECRET//SAR-BP-J12//NOFORN").text == "us:SECRET//REL=USA//SAR=BP,BP-J12"
    assert site.parse("SECRET//REL TO USA, XABC").text == "us:SECRET//REL=DEU,FRA,USA"
    assert site.banner(site.parse("SECRET//REL TO USA, DEU, FRA")) == "SECRET//REL TO USA, XABC"
    assert site.parse("us:SECRET//NOFORN//TEA LEAF").text == "us:SECRET//NONIC=ACCM-TEA_LEAF//REL=USA"
    both = site.parse("CONFIDENTIAL//CARE") | site.parse("INTERNAL//BILLING")
    assert both.text == "house:CONFIDENTIAL//PURPOSE=BILLING,CARE"
    assert not both <= site.clearance("RESTRICTED//CARE")


def test_a_sub_compartment_needs_its_compartment() -> None:
    opened = 'categories = [{ name = "SCI", type = "restrictive", section = 1, tree = true, tokens = ["SI"], '
    with pytest.raises(Misconfigured, match="SI-QQ is not declared"):
        Policies.load(
            ["acme"],
            [ACME + opened + 'families = [{ match = "SI-.*" }] }]', 'extends = "acme"\ntokens.SCI = ["SI-QQ-A"]'],
        )
