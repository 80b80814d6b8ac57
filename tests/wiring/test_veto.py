"""The veto at the gate: asked once where a request is opened, never of a row, and only where settings name one."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.errors import Misconfigured
from casemate.identity import Session
from casemate.labels import Label
from casemate.policy import Action, Refuse, Target
from casemate.settings import CedarSettings, parse
from casemate.wiring import veto as wired
from casemate.wiring.veto import veto_of
from tests.attacks.scene import LOW, SECRET, hide, log
from tests.laws.world import World

ANY = "permit(principal, action, resource);"


class Counting:
    """Refuses one action, and counts its questions."""

    def __init__(self, refused: str) -> None:
        self.refused = refused
        self.asked: list[str] = []

    def refuses(self, session: Session, acting: Label, action: Action, target: Target) -> Refuse | None:
        if "service" not in session.principal.roles:
            self.asked.append(action.name)
        return Refuse("cedar", {"policy": "no-lists"}) if action.name == self.refused else None


async def test_it_is_asked_once_and_its_no_is_recorded(world: World) -> None:
    await world.person("ann", SECRET)
    await hide(world, "ann")
    world.house.gate.veto = veto = Counting("document.list")
    seen = await world.call("ann", "GET", "/api/documents", acting=SECRET)
    assert (seen.status, seen.json["rule"]) == (403, "cedar")
    assert "no-lists" in seen.json["detail"]
    assert veto.asked == ["document.list"]
    assert (log(world, SECRET)[-1].rule, log(world, SECRET)[-1].outcome) == ("cedar", "refused")
    assert (await world.call("ann", "GET", "/api/search?q=lantern", acting=SECRET)).status == 200
    assert veto.asked == ["document.list", "knowledge.search"]


async def test_it_is_not_asked_about_what_the_rules_refuse(world: World) -> None:
    await world.person("ann", LOW)
    world.house.gate.veto = veto = Counting("")
    assert (await world.call("ann", "GET", "/api/principals", acting=LOW)).json["rule"] == "role"
    assert (await world.call("ann", "GET", "/api/documents", acting=SECRET)).json["rule"] == "acting-label"
    assert veto.asked == []


async def test_a_region_has_none_unless_it_says_so(world: World) -> None:
    assert world.house.gate.veto is None
    assert parse('[region]\nname = "x"\n').cedar.folder == ""


def test_a_folder_of_policies_is_read(tmp_path: Path) -> None:
    pytest.importorskip("cedarpy")
    (tmp_path / "cedar").mkdir()
    (tmp_path / "cedar" / "a.cedar").write_text(ANY)
    (tmp_path / "cedar" / "notes.txt").write_text("no policy")
    assert veto_of(tmp_path, CedarSettings(folder="cedar")) is not None
    assert veto_of(tmp_path, CedarSettings()) is None
    for name, text in (("b.cedar", "forbid(principal"), ("b.cedar", "forbid(principal is Nobody, action, resource);")):
        (tmp_path / "cedar" / name).write_text(text)
        with pytest.raises(Misconfigured, match=r"b\.cedar"):
            veto_of(tmp_path, CedarSettings(folder="cedar"))
    (tmp_path / "cedar" / "b.cedar").write_bytes(b"\xff")
    with pytest.raises(Misconfigured):
        veto_of(tmp_path, CedarSettings(folder="cedar"))
    with pytest.raises(Misconfigured, match="nowhere"):
        veto_of(tmp_path, CedarSettings(folder="nowhere"))


def test_without_the_package_the_region_stays_shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wired, "find_spec", lambda name: None)
    with pytest.raises(Misconfigured, match="casemate\\[cedar\\]"):
        veto_of(tmp_path, CedarSettings(folder="cedar"))
