"""Each house rule catches what it is for, lets pass what is right, and says what to do instead."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.rules import RULES, Finding, Source, judge

BAD = [
    ("clock", "store/row.py", "from datetime import datetime\nat = datetime.now()"),
    ("clock", "store/row.py", "import datetime\nat = datetime.datetime.utcnow()"),
    ("clock", "access/gate.py", "import time\nat = time.time()"),
    ("clock", "access/gate.py", "from time import time_ns as t\nat = t()"),
    ("machine", "store/seal.py", "with open('x') as f: f.read()"),
    ("machine", "knowledge/index/rank.py", "import socket"),
    ("machine", "models/route.py", "from urllib.request import urlopen"),
    ("machine", "doors/native/keys.py", "import subprocess as s"),
    ("machine", "accounts/key.py", "def f(p): p.write_text('x')"),
    ("machine", "access/flow.py", "import asyncio\nasync def f(): await asyncio.open_connection('h', 1)"),
    ("machine", "access/flow.py", "import os\nos.execvp('a', ['a'])"),
    ("pickle", "knowledge/index/shard.py", "import pickle"),
    ("pickle", "engines/files.py", "from shelve import open as o"),
    ("pickle", "knowledge/index/shard.py", "import numpy as np\nnp.load('x', allow_pickle=True)"),
    ("eval", "labels/marking.py", "eval('1')"),
    ("eval", "cells/extract.py", "def f(t): exec(t)"),
    ("core", "labels/label.py", "import msgspec"),
    ("core", "policy/decide.py", "from numpy import array"),
    ("core", "errors/__init__.py", "def f():\n    import click"),
    ("shell", "engines/sandbox.py", "import subprocess\nsubprocess.run('ls', shell=True)"),
    ("shell", "cli/main.py", "import os\nos.system('ls')"),
    ("shell", "cli/main.py", "import subprocess\ndef f(x): subprocess.run('ls', shell=x)"),
    ("envelope", "assistants/answer.py", "def f(body): return body.map(lambda value: value)"),
    ("envelope", "assistants/answer.py", "def f(body, k):\n    def g(v): return v + k\n    return body.map(g)"),
    ("envelope", "assistants/answer.py", "from functools import partial\ndef f(b, g): return b.map(partial(g, 1))"),
    ("envelope", "assistants/answer.py", "class A:\n    def f(self, b): return b.map(self.g)"),
    (
        "envelope",
        "assistants/answer.py",
        "from casemate.labels import combine\ndef f(a, b): return combine(a, b, lambda x, y: x)",
    ),
    ("log", "doors/frame/enter.py", "def f(log, body): log.info('got %s', body)"),
    ("log", "doors/frame/enter.py", "def f(log, slug): log.info(f'got {slug}')"),
    ("log", "doors/frame/enter.py", "import logging\ndef f(e): logging.error('failed', exc_info=e)"),
    ("log", "wiring/serve.py", "class A:\n    def f(self): self._log.exception('failed')"),
]

GOOD = [
    ("clock", "clock/__init__.py", "import time\nat = time.time_ns()"),
    ("clock", "access/gate.py", "import time\nbegan = time.monotonic()"),
    ("clock", "access/gate.py", "def f(self): return self.clock.now()"),
    ("machine", "engines/files.py", "import socket, subprocess\nopen('x')"),
    ("machine", "cli/main.py", "open('x')"),
    ("machine", "access/gate.py", "async def f(gate, session): return await gate.open(session)"),
    ("pickle", "knowledge/index/shard.py", "import numpy as np\nnp.load('x', allow_pickle=False)"),
    ("eval", "labels/marking.py", "import re\nwords = re.compile('a')"),
    ("core", "labels/label.py", "import hashlib\nfrom casemate.errors import MarkingError\nfrom . import lattice"),
    ("core", "ledger/entry.py", "import msgspec"),
    ("shell", "engines/sandbox.py", "import subprocess\nsubprocess.run(['ls'], shell=False)"),
    ("envelope", "assistants/answer.py", "def g(v): return v\ndef f(body): return body.map(g)"),
    (
        "envelope",
        "assistants/answer.py",
        "from casemate.knowledge.index import rank\ndef f(body): return body.map(rank.best)",
    ),
    ("envelope", "assistants/answer.py", "def f(values): return list(map(str, values))"),
    ("log", "wiring/serve.py", "def f(log, port): log.info('listening on %d', port)"),
    ("log", "wiring/serve.py", "def f(log, error): log.warning('refused: %s', error.slug)"),
    ("log", "ledger/entry.py", "import math\nx = math.log(3)"),
]


def told(path: str, text: str, rule: str) -> list[Finding]:
    return [finding for finding in judge(Source(path, ast.parse(text)), RULES) if finding.rule == rule]


@pytest.mark.parametrize(("rule", "path", "text"), BAD)
def test_the_rule_catches(rule: str, path: str, text: str) -> None:
    assert told(path, text, rule), f"{rule} lets this pass:\n{text}"


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_the_rule_lets_pass(rule: str, path: str, text: str) -> None:
    assert told(path, text, rule) == []


def test_each_rule_has_samples_on_both_sides_and_says_what_to_do_instead() -> None:
    for rule in RULES:
        assert any(rule.name == name for name, _, _ in BAD), rule.name
        assert any(rule.name == name for name, _, _ in GOOD), rule.name
        assert len(rule.teaches.split()) > 8


def test_a_finding_names_the_place_and_teaches() -> None:
    (finding,) = told("labels/label.py", "\n\nimport msgspec", "core")
    assert finding.told.startswith("labels/label.py:3: imports msgspec. ")
    assert "standard library" in finding.told
