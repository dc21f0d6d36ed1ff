# Everything a day with cxlab needs. `make` lists it; whatever is missing is set up first.

PYTHON ?= python3
STUDY ?= params/sample
REPORTS ?= reports

BIN := .venv/bin
READY := .venv/ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where Python must not keep what it compiles, each of the many processes of a run or of the tests
# compiles all that it imports anew: more than half of what a small run takes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup report test check lab bench calibrate lock format clean

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

setup: $(READY) ## Set up .venv with the exact versions of requirements.lock

# uv does it in seconds and pip in minutes; both refuse a file whose hash is not in the lock.
# The project itself is a path and a command: an editable install would fetch a build tool.
$(READY): requirements.lock .ci/installer.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(0 if sys.version_info >= (3, 11) else \
	    "Python must be 3.11 or newer, but $(PYTHON) is " + v + ". Name another: make PYTHON=python3.12")'
	@test -x $(BIN)/python || echo "Setting up .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	    { echo "Python needs venv and pip. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@{ $(BIN)/pip install -q --require-hashes -r .ci/installer.lock && \
	    $(BIN)/uv pip sync -q --require-hashes --python $(BIN)/python requirements.lock; } || \
	    { echo "uv could not install the lock, so pip does it." && \
	    $(BIN)/pip install -q --require-hashes -r requirements.lock; }
	@echo "$(CURDIR)" > "$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')/cxlab.pth"
	@printf '%s\n' '#!/bin/sh' "'''exec' \"$(CURDIR)/$(BIN)/python\" \"\$$0\" \"\$$@\"" "' '''" \
	    'from cxlab.cli import main' 'main()' > $(BIN)/cxlab && chmod +x $(BIN)/cxlab
	@touch $@

report: $(READY) ## Run the main job: the report of STUDY (default params/sample)
	@$(BIN)/cxlab run $(STUDY) --reports $(REPORTS)

# The checks are done long before the tests, so the test runner's closing line is the last line.
# Three workers keep two cores busy, since whole runs wait for their kernels and Spark for Java;
# they take a file each, the longest first (tests/conftest.py), then in the order of the files.
test: $(READY) ## Check everything: style, types, floors, docs, and all tests
	@$(MAKE) -s -k -j 2 check & check=$$!; $(BIN)/pytest -n 3 --no-loadscope-reorder; tested=$$?; \
	    wait $$check && exit $$tested

CHECKS := style-format style-rules types floors docstrings
.PHONY: $(CHECKS)

check: $(CHECKS) ## Check style, types, floors and docstrings, without the tests

style-format: $(READY)
	@$(BIN)/ruff format --check

style-rules: $(READY)
	@$(BIN)/ruff check

types: $(READY)
	@$(BIN)/mypy

floors: $(READY)
	@$(BIN)/lint-imports --no-cache >.venv/floors.txt 2>&1 || { cat .venv/floors.txt; exit 1; }
	@echo "Imports run downward, never sideways."

# Sections must be true where they stand. That they are there and whole is held by a test, for what
# a room makes public. A first line may also be a question, a noun, or start with a formula.
LOOSE := PR01,PR03,PR08,RT03,SS03,SS05

docstrings: $(READY)
	@find cxlab -name '[!_]*.py' | sort | xargs $(BIN)/numpydoc lint --ignore $(LOOSE)
	@echo "Docstrings keep their form."

lab: $(READY) ## Open JupyterLab with the notebooks ready to run
	@$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks \
	    $(if $(filter 0,$(shell id -u)),--allow-root)

bench: $(READY) ## Measure speed and memory against the figures to reach
	@missed=0; for what in bench sample paths funnels journeys churn loyalty cox customer_base chapters; do \
	    $(BIN)/python benchmarks/$$what.py || missed=1; done; exit $$missed

calibrate: $(READY) ## Check by simulation that intervals cover as often as they say
	@failed=0; for what in calibrate calibrate_survival calibrate_cox calibrate_customer_base \
	    calibrate_churn calibrate_retention sample_coverage; do \
	    $(BIN)/python benchmarks/$$what.py || failed=1; done; exit $$failed

# Old pins stay unless pyproject.toml forbids them; remove the file first to renew them all.
lock: $(READY) ## Work out requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml -q --universal --generate-hashes --no-header \
	    --no-emit-index-url --group dev --extra spark --python-version 3.11 -o requirements.lock
	@echo uv | $(BIN)/uv pip compile - -q --universal --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate --python-version 3.11 -o .ci/installer.lock

format: $(READY) ## Put all code in the house's form
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

clean: ## Remove what was set up and kept; reports stay
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis params/*/.cxlab
	find cxlab tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
