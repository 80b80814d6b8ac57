"""Intelligence analysis: entities, links and documents of several labels, and the world as each label sees it.

    load -> records -> view_of(records, label) -> measure, picture, export, report

What must never happen: that anything of a view (a merge, a score, a count, an order) depends on a record that does not
flow to the view's label. `view.seen` alone looks at those; tests/test_law.py holds it.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
