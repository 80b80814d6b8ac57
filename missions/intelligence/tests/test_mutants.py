"""Each leak opened on purpose: the law must see it. A mutant that lives means that the law sleeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src" / "casemate_intelligence"
LAW = "test_a_view_is_a_function_of_what_flows_to_it"
PAPER = "test_a_paragraph_that_is_hidden_moves_nothing_of_the_document"
LINES = "test_a_line_that_is_hidden_moves_no_other"
PAGE = "test_a_view_owes_nothing_to_those_that_stand_before_it_on_the_page"
MODEL = "test_what_a_model_reads_above_takes_nothing_from_what_it_reads_below"
CELLS = "test_a_cell_that_is_hidden_shapes_nothing_of_the_row"
MUTANTS = {
    "labels are one line, compartments forgotten": (
        *("label.py", "return self.level <= other.level and self.needs <= other.needs and narrower"),
        *("return self.level <= other.level", LAW),
    ),
    "who may have it is forgotten": (
        "label.py",
        "self.needs <= other.needs and narrower",
        "self.needs <= other.needs",
        LAW,
    ),
    "hidden statements are seen": (
        *("view.py", "return [one for one in records if one.label.flows_to(label)]", "return list(records)", LAW),
    ),
    "a hidden judgement merges": (
        *(
            "view.py",
            "for one in visible if isinstance(one, Judgement)",
            "for one in records if isinstance(one, Judgement)",
        ),
        LAW,
    ),
    "a hidden withdrawal undoes": (
        *(
            "view.py",
            "for one in visible if isinstance(one, Withdrawal)",
            "for one in records if isinstance(one, Withdrawal)",
        ),
        LAW,
    ),
    "the linker learns from hidden rows": (
        *(
            "view.py",
            "settings.link(statements)",
            "settings.link([one for one in records if isinstance(one, Statement) and one.entity in by_entity])",
        ),
        LAW,
    ),
    "names are compared over all records": (
        *("view.py", "_known(told, settings.kin) for entity, told in by_entity.items()"),
        (
            "_known([s for s in records if isinstance(s, Statement) and s.entity == entity], settings.kin) "
            "for entity, told in by_entity.items()"
        ),
        LAW,
    ),
    "evidence keeps the order of arrival": (
        *("view.py", "sorted({one for one in visible if isinstance(one, Statement)}, key=_order)"),
        *("[one for one in visible if isinstance(one, Statement)]", LAW),
    ),
    "an id tells its key's hidden cell": (
        *("table.py", "base[entity.name] = _join(own, [cells[key] for key in keys if key in cells])"),
        *("base[entity.name] = own", CELLS),
    ),
    "an edge tells the names of its ends": (
        *(
            "table.py",
            "dict.fromkeys(inlined, whole[entity.name])",
            "dict.fromkeys(inlined, base[entity.name])",
        ),
        CELLS,
    ),
    "a cell's own label is forgotten": (
        "table.py",
        "labels[each.prop.name] = _join(known, parts)",
        "labels[each.prop.name] = known",
        CELLS,
    ),
    "a span counts what is hidden before it": (
        *("load.py", "at[label] = at.get(label, 0) + len(shown) + 2"),
        *("at[label] = max(at.values(), default=0) + len(shown) + 2", PAPER),
    ),
    "a title is the first line, whoever may see that": (
        *("load.py", "heads.setdefault(label, portion.strip())"),
        *("heads.setdefault(next(iter(heads), label), portion.strip())", PAPER),
    ),
    "a line's number counts hidden lines": (
        *("load.py", "self._lines[label] = self._lines.get(label, self._before) + 1"),
        *("self._lines[label] = max(self._lines.values(), default=self._before) + 1", LINES),
    ),
    "places begin where a hidden view has them": (
        *("outcome.py", "in reversed(self._before) if label.flows_to(view.label)", "in reversed(self._before)", PAGE),
    ),
    "a model reads in the order of arrival": ("extract.py", "sorted(of, key=_below)", "list(of)", MODEL),
    "a bound counts the paragraphs of every label": (
        *("extract.py", "<= LONGEST][:MOST_OF_LABEL]", "<= LONGEST][: max(0, 4 - sum(map(len, of.values())))]"),
        MODEL,
    ),
    "a name bears the label of the run": (
        *("load.py", '"name": [one.text]}, source, always(label))', '"name": [one.text]}, source, always(self.job))'),
        MODEL,
    ),
    "a hidden source is named": (
        *("load.py", "named = own is not None and own.flows_to(one.label)", "named = own is not None", LINES),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_law_kills(name, tmp_path):
    file, before, after, killer = MUTANTS[name]
    copy = tmp_path / "casemate_intelligence"
    shutil.copytree(SOURCE, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert text.count(before) == 1, "the mutant's line has moved"
    (copy / file).write_text(text.replace(before, after), encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *(each for each in sys.path if each and str(SOURCE.parent) != each)])
    ran = subprocess.run(
        # without the settings beside it, which name the source itself
        [sys.executable, "-m", "pytest", "-qx", "-c", os.devnull, "-k", killer, str(HERE / "test_law.py")],
        env={
            **os.environ,
            "PYTHONPATH": path,
            "MUTANT": "1",
            "PYTEST_ADDOPTS": "-p no:cacheprovider",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "hypothesis"),
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ran.returncode == 1, ran.stdout[-2000:]
    assert "AssertionError" in ran.stdout
