# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Works from a fresh clone with only Python >= 3.11 and make: the environment in .venv is made and filled by need.
#   make PYTHON=/path/to/python3.13 …   chooses the Python for a new environment
#   make test ARGS="-k clock -x"        hands arguments to pytest
#   make test JOBS=1                    one test after the other (default: as many at once as there are cores)

VENV := .venv
JOBS := auto
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Beside the environment's packages, not among them: on CPython these stubs would hide real modules (`neopixel`, `time`).
STUBS := $(VENV)/micropython-stubs
STUB_PACKAGES := micropython-rp2-stubs==1.29.0.post1 micropython-stdlib-stubs==1.29.0.post2
# What a fresh environment holds is stamped; a changed pyproject.toml refills it.
MADE := $(VENV)/.made
RUNTIME := $(VENV)/.filled-runtime
DEV := $(VENV)/.filled-dev

.DEFAULT_GOAL := help
.PHONY: help demo test check bench sbom format clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(RUNTIME) ## A virtual board shows a recorded intersection, about a minute (ARGS="--fast": seconds)
	$(BIN)/leezenflow demo $(ARGS)

test: $(DEV) ## All tests, with branch coverage (ARGS="…": arguments to pytest, no coverage)
ifeq ($(strip $(ARGS)),)
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=worksteal --durations=10 --cov --cov-report=
	@echo "== Branch coverage of everything that runs on CPython"
	$(BIN)/coverage report --format=total | sed 's/$$/ %/'
	@echo "== Branch coverage of the core, which must be whole"
	$(BIN)/coverage report --include='firmware/leezenflow/*' --fail-under=100
else
	$(BIN)/python -m pytest $(ARGS)
endif

check: $(DEV) ## Format, lint, types (CPython and MicroPython), imports, licences, machine paths
	@failed=; \
	run() { echo "== $$*"; "$(BIN)/$$@" || failed="$$failed, $$*"; }; \
	run ruff format --check . ; \
	run ruff check . ; \
	run basedpyright ; \
	run basedpyright --project firmware/pyrightconfig.json ; \
	run lint-imports --no-cache --no-logo ; \
	run reuse lint --lines ; \
	run python tools/check_tree.py ; \
	if [ -n "$$failed" ]; then echo "== Failed: $${failed#, }"; exit 1; fi; \
	echo "== All checks passed"

bench: $(RUNTIME) ## Every benchmark of tools/bench; each prints ratios measured in one run
	@for script in tools/bench/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

sbom: $(DEV) ## The bill of materials (CycloneDX) into build/, or to ARGS="FILE"
	$(BIN)/python tools/make_sbom.py $(ARGS)

format: $(DEV) ## Let ruff format the tree and repair what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what builds and tests leave behind (the environment stays)
	rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .pytest_cache .ruff_cache .import_linter_cache
	find firmware signal_adapters host tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove the environment as well
	rm -rf $(VENV)

$(MADE):
	@PYTHON="$(PYTHON)" sh tools/make_venv.sh $(VENV)
	@touch $@

$(RUNTIME): $(MADE) pyproject.toml
	@echo "== Filling $(VENV) with Leezenflow and what it needs (once, a minute or two)"
	$(PIP) install --quiet --editable .
	@touch $@

$(DEV): $(RUNTIME)
	@echo "== Adding what tests and checks need (once, a minute or two)"
	$(PIP) install --quiet --editable '.[dev]'
	rm -rf $(STUBS)
	$(PIP) install --quiet --no-deps --target $(STUBS) $(STUB_PACKAGES)
	@touch $@
