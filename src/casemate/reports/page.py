"""A report as one file of HTML: its marking above, below and on each printed sheet, nothing fetched from elsewhere.

No script runs in it but our own, which stands there where a network does (`network.py`), and is named by its hash.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from html import escape

from casemate.reports.chart import Chart, svg_of
from casemate.reports.network import Network, drawn, script, script_hash, style
from casemate.reports.report import Checks, Figures, Part, Picture, Report, Shown, Text
from casemate.reports.table import Cell, cell

__all__ = ["page", "policy"]

_WORDS = {
    "en": {"True": "holds", "False": "does not hold", "of": "{shown} of {all} rows", "against": "against"},
    "fr": {"True": "vérifié", "False": "non vérifié", "of": "{shown} lignes sur {all}", "against": "par rapport à"},
}
# scripts, frames, forms and addresses do nothing in this page, whatever a mission has written into a text or a picture
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
_COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}")
_STYLE = """body{font:15px/1.5 sans-serif;color:#16181d;background:#fff;margin:0}
main{max-width:60rem;margin:0 auto;padding:1rem}
.banner{text-align:center;font-weight:700;padding:.3rem;border:2px solid;position:sticky}
.banner.top{top:0}.banner.foot{bottom:0}
table{border-collapse:collapse;margin:.5rem 0;font-size:.9rem}
th,td{border:1px solid #c3c8d0;padding:.2rem .5rem;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}.told{color:#4a5260}
.bad{color:#a4001d;font-weight:700}.good{color:#006b3c;font-weight:700}
svg,img{max-width:100%;height:auto}
@media print{.banner{position:static}tr,figure,img{break-inside:avoid}}"""


def policy(report: Report) -> str:
    """What a browser lets the page do: nothing but show itself, and walk through a network where it has one."""
    return f"{_POLICY}; script-src {script_hash()}" if _walks(report) else _POLICY


def page(
    report: Report,
    *,
    marking: str,
    language: str = "en",
    facts: Mapping[str, str] | None = None,
    ink: str = "#ffffff",
    ground: str = "#16181d",
) -> str:
    """The file. `marking` stands above and below; `facts`: what the run was, by name. `ink`, `ground`: its colours.

    The same report, marking and facts give the same bytes.
    """
    words = _WORDS.get(language, _WORDS["en"])
    tints = [one if _COLOUR.fullmatch(one) else "#16181d" for one in (ink, ground)]
    told = escape(marking)
    colours = f"color:{tints[0]};background:{tints[1]}"
    style_of = _STYLE + _sheet(marking) + (style() if _walks(report) else "")
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in (facts or {}).items())
    return "\n".join(
        [
            f'<!doctype html>\n<html lang="{"fr" if language == "fr" else "en"}"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy(report)}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{told} {escape(report.title)}</title><style>{style_of}</style></head><body>",
            f'<div class="banner top" style="{colours}">{told}</div><main><h1>{escape(report.title)}</h1>',
            *(_part(part, words, language) for part in report.parts),
            f'<table class="facts">{rows}</table>' if rows else "",
            f'</main><div class="banner foot" style="{colours}">{told}</div>',
            f"<script>{script()}</script></body></html>\n" if _walks(report) else "</body></html>\n",
        ]
    )


def _walks(report: Report) -> bool:
    return any(isinstance(part, Network) for part in report.parts)


def _sheet(marking: str) -> str:
    """The marking in the margins of each printed sheet (CSS Paged Media 3, section 5)."""
    words = " ".join(marking.split())
    told = "".join(
        each if each.isascii() and (each.isalnum() or each == " ") else f"\\{ord(each):x} " for each in words
    )
    box = "font:bold 9pt sans-serif;color:#000;white-space:normal;text-align:center"
    count = f'content:"{told}" "  \\2013  " counter(page) "/" counter(pages)'
    return f'@page{{margin:20mm 15mm;@top-center{{content:"{told}";{box}}}@bottom-center{{{count};{box}}}}}'


def _part(part: Part, words: Mapping[str, str], language: str) -> str:
    head, body = f"<h2>{escape(part.title)}</h2>" if part.title else "", ""
    match part:
        case Text():
            body = "".join(f"<p>{escape(each)}</p>" for each in part.text.split("\n\n") if each.strip())
        case Figures():
            body = f"<table>{''.join(_row([name, cell(value)]) for name, value in part.figures.items())}</table>"
        case Shown():
            body = _shown(part, words)
        case Checks():
            body = "".join(
                f'<p><span class="{"good" if one.passed else "bad"}">{words[str(one.passed)]}</span>: '
                f"{escape(one.what)} ({words['against']} {escape(one.against)}) "
                f"<span class=told>{escape(one.told)}</span></p>"
                for one in part.checks
            )
        case Chart():
            body = f"<figure>{svg_of(part)}</figure>"
        case Network():
            body = drawn(part, language)
        case Picture():
            # as an image, so that nothing in it runs
            data = base64.b64encode(part.svg.encode("utf-8", "replace")).decode()
            body = f'<img alt="{escape(part.title)}" src="data:image/svg+xml;base64,{data}">'
    return f"<section>{head}{body}</section>"


def _shown(part: Shown, words: Mapping[str, str]) -> str:
    rows = part.table.rows[: part.most]
    names = "".join(f"<th>{escape(name)}</th>" for name in part.table.columns)
    body = "".join(_row([cell(value) for value in row]) for row in rows)
    whole = max(getattr(part, "of", 0), len(part.table.rows))
    told = words["of"].format(shown=len(rows), all=whole) if whole > len(rows) else ""
    return f'<div class="wide"><table><tr>{names}</tr>{body}</table></div>' + (
        f'<p class="told">{told}</p>' if told else ""
    )


def _row(cells: list[Cell]) -> str:
    return "<tr>" + "".join(_cell(each) for each in cells) + "</tr>"


def _cell(value: Cell) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, bool | str):
        return f"<td>{escape(str(value).lower() if isinstance(value, bool) else value)}</td>"
    return f'<td class="n">{value:.6g}</td>' if isinstance(value, float) else f'<td class="n">{value}</td>'
