# Casemate: one command each. `make` alone says what there is.
# Needs Linux, make, git and Python 3.11 to 3.14 with venv; `make check-tools` says what is missing and how to get it.

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet --no-input
PINNED := --no-deps --require-hashes --only-binary :all:
STAMPS := $(VENV)/.made
WORKERS ?= 2
PYTEST := $(PY) -m pytest -q -n $(WORKERS) --dist loadfile
CHECKED := src tests bench requirements missions verifier

.DEFAULT_GOAL := help
.PHONY: help demo demo-airgap demo-missions test-missions install model test-tools test test-long check lint coverage mutants bench docs lock format clean check-tools

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: install ## a region with the exercise corpus: one table, then the console (ONCE=1: end after the table)
	@$(VENV)/bin/casemate demo $(if $(ONCE),--once)

install: $(STAMPS)/package $(STAMPS)/model ## what a region needs, into .venv

model: ## fetch and build the embedding model again (full text alone works without it)
	@rm -f $(STAMPS)/model
	@$(MAKE) --no-print-directory $(STAMPS)/model

test-tools: $(STAMPS)/test $(STAMPS)/ray

test: install test-tools ## the tests and the short laws
	@$(PYTEST) -x -m "not long" $(ARGS)

MISSIONS := $(notdir $(patsubst %/,%,$(wildcard missions/*/)))

test-missions: export CASEMATE_TEST_DATA ?= $(abspath ../shared/data)
test-missions: install $(MISSIONS:%=$(STAMPS)/mission-%) ## the missions, each in an environment of its own
	@for name in $(MISSIONS); do echo "$$name"; \
	  $(VENV)/bin/casemate mission check missions/$$name --python "$$PWD/$(VENV)/missions/$$name/bin/python" || exit 1; \
	  (cd missions/$$name && PYTHONPATH=src:../../src ../../$(VENV)/missions/$$name/bin/python -m pytest -q $(ARGS)) || exit 1; \
	done

demo-airgap: install test-tools ## three regions without a route between them: volumes, a one-way link, a forged bundle, one paragraph down
	@$(PY) -m tests.transfer.demo

demo-missions: install $(MISSIONS:%=$(STAMPS)/mission-%) ## a region that runs every mission on its exercise: reports in demo-missions
	@$(PY) -m tests.missions.demo $(VENV)/missions $(ARGS)

test-long: install test-tools ## the laws at full length
	@$(PYTEST) -m long $(ARGS)

check: lint coverage ## every gate: format, types, contracts, sizes, coverage

lint: install test-tools ## the gates that run no code
	@$(PY) -m ruff check $(CHECKED)
	@$(PY) -m ruff format --check $(CHECKED)
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-cache

coverage: install test-tools
	@rm -f .coverage .coverage.*
	@$(PYTEST) -m "not long" --cov --cov-branch --cov-report=json:.coverage.json --cov-report= $(ARGS)
	@$(PY) -m tests.architecture.coverage_gate .coverage.json

mutants: install test-tools ## break the gate on purpose, one leak at a time: every mutant must die
	@$(PY) -m tests.laws.mutants $(ARGS)

bench: install ## make bench NAME=shared_channels
	@test -f "bench/$(NAME).py" || { echo "make bench NAME=..., one of: $$(cd bench && ls *.py | sed 's/\.py$$//' | tr '\n' ' ')"; exit 2; }
	@$(PY) -m bench.$(NAME) $(ARGS)

format: test-tools ## let ruff set the source
	@$(PY) -m ruff check --fix --exit-zero --quiet $(CHECKED)
	@$(PY) -m ruff format $(CHECKED)

docs: install test-tools ## write into the documentation what the code says of itself
	@$(PY) -m tests.docs.tables

lock: test-tools ## pin the newest versions that fit requirements/*.in
	@$(PIP) install pip-tools
	@$(PY) requirements/lock.py

clean: ## remove .venv and everything that the gates wrote
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*

# ---- what the targets stand on -------------------------------------------------------------------------------------

# A folder of stamps inside .venv: removing .venv removes them. A stamp is made anew when its list changes.
$(STAMPS)/venv:
	@python=$$(sh requirements/tools.sh) || exit 1; \
	  echo "Setting up $(VENV) with $$($$python -V), once: about a minute."; \
	  $$python -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements/run.txt requirements/build.txt | $(STAMPS)/venv
	@$(PIP) install $(PINNED) -r requirements/run.txt -r requirements/build.txt || \
	  { echo "make: the packages did not come. Without a package index, put the wheels of requirements/run.txt and build.txt" >&2; \
	    echo "into a folder and set PIP_NO_INDEX=1 PIP_FIND_LINKS=that-folder (docs/operations.md, Without a network)." >&2; exit 1; }
	@touch $@

$(STAMPS)/package: pyproject.toml $(STAMPS)/run
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(STAMPS)/model: $(STAMPS)/package $(wildcard src/casemate/engines/minilm_build.py)
	@$(PY) -m casemate.engines.minilm_build || \
	  echo "No embedding model: questions are answered from full text alone. \`make model\` tries again."
	@touch $@

$(STAMPS)/test: requirements/test.txt | $(STAMPS)/run
	@$(PIP) install $(PINNED) -r requirements/test.txt
	@touch $@

# Some 80 MB, for the contract tests of one engine; an environment of its own, since nothing of Casemate imports Ray.
$(STAMPS)/ray: requirements/ray.txt | $(STAMPS)/venv
	@{ $(PY) -m venv $(VENV)/ray && $(VENV)/ray/bin/python -m pip --disable-pip-version-check --quiet --no-input install $(PINNED) -r requirements/ray.txt && touch $@; } || \
	  echo "No Ray: the tests of its engine are skipped. \`make test-tools\` tries again."

# 0.5 to 1.2 GB each, by its own lock: nothing of Casemate imports a mission, and nothing of one is fetched at run time.
$(STAMPS)/mission-%: missions/%/requirements.txt missions/%/requirements-test.txt | $(STAMPS)/venv
	@test -x $(VENV)/missions/$*/bin/python || $(PY) -m venv $(VENV)/missions/$*
	@$(VENV)/missions/$*/bin/python -m pip --disable-pip-version-check --quiet --no-input install --no-deps --require-hashes \
	  -r missions/$*/requirements.txt -r missions/$*/requirements-test.txt
	@touch $@

check-tools: ## what this machine lacks, and the line that installs it
	@sh requirements/tools.sh
