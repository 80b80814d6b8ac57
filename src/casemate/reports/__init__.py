"""Reports: what a mission found, as values; rendered to one marked page, CSV and SVG. Standard library and pure.

What must never happen: that a page fetches anything or runs what a mission wrote, or that a report says its own
marking: whoever renders it gives the marking of the label at which it lies.
"""

from __future__ import annotations

from casemate.reports.chart import Chart, Series, svg_of
from casemate.reports.network import Link, Network, Node, Quote, Seen
from casemate.reports.page import page, policy
from casemate.reports.report import Check, Checks, Figures, Part, Picture, Report, Shown, Text, plain, read
from casemate.reports.table import Cell, Table, cell, csv_of

__all__ = [
    "Cell",
    "Chart",
    "Check",
    "Checks",
    "Figures",
    "Link",
    "Network",
    "Node",
    "Part",
    "Picture",
    "Quote",
    "Report",
    "Seen",
    "Series",
    "Shown",
    "Table",
    "Text",
    "cell",
    "csv_of",
    "page",
    "plain",
    "policy",
    "read",
    "svg_of",
]
