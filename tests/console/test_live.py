"""The live page: marked, escaped, the same without scripts, and only as much as its label may see."""

from __future__ import annotations

import re

from casemate.doors.console.live import HEIGHT, trace
from tests.console.visitor import FEVER, Page, Visitor, a_region


def test_a_line_stays_within_its_picture() -> None:
    for values in ([], [0], [0, 0, 0], [1, 5, 2], [0.5] * 60):
        line = trace(values, max(values, default=0))
        points = [tuple(map(float, point.split(","))) for point in line.points.split()]
        assert len(points) == len(values)
        assert all(0 <= x <= 240 and 0 <= y <= HEIGHT for x, y in points)
        assert (line.total, line.last) == (sum(values), values[-1] if values else 0)


async def test_the_page_shows_each_visible_domain_by_itself() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        await analyst.post("/ask", {"question": FEVER})
        auditor = await Visitor(world).sign_in("auditor")
        seen = await auditor.get("/live")
        page = Page.of(seen)
        assert seen.status == 200
        assert set(page.banners) == {seen.header("casemate-marking")}
        assert "SECRET//NOFORN" in page.text
        assert "Requests: 1 in five minutes" in page.text
        assert "fever" not in page.text.lower()
        assert "analyst" not in page.text
        pictures = page.all("svg")
        assert pictures
        assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)
        low = Page.of(await auditor.get("/live?acting=us:UNCLASSIFIED"))
        assert low.banners[0] == "UNCLASSIFIED"
        assert "SECRET//NOFORN" not in low.source.split("<main")[1]


async def test_it_moves_only_where_somebody_asked_for_it() -> None:
    """WCAG 2.2.2: what updates by itself can be stopped; and each look is an entry."""
    async with a_region() as world:
        auditor = await Visitor(world).sign_in("auditor")
        still, moving = Page.of(await auditor.get("/live")), Page.of(await auditor.get("/live?follow=1"))
        assert "hx-trigger" not in still.source
        assert 'hx-trigger="every 10s"' in moving.source
        assert "Stop following" in moving.text
        part = await auditor.get("/live?follow=1", ("hx-request", "true"))
        assert not re.search(rb"<html|hx-trigger", part.body)
        assert b"<section" in part.body


async def test_in_french_and_before_anything_happened() -> None:
    async with a_region() as world:
        auditor = await Visitor(world, language="fr").sign_in("auditor")
        page = Page.of(await auditor.get("/live?acting=us:UNCLASSIFIED"))
        assert "Rien n'a encore été compté." in page.text
        assert "En direct" in page.text


async def test_a_user_has_neither_the_page_nor_its_place() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        assert (await analyst.get("/live")).status == 403
        assert "/live" not in (await analyst.get("/documents")).body.decode()
