# Every target sets up what it needs: a virtual environment with the versions of constraints.txt.
#
#   make run ARGS="encoding=rope task=copy"     one run (any arguments of python -m harness)
#   make test                                   lint, types, import contracts and all tests
#   make fast                                   the tests that take seconds
#   make docs                                   the documentation as a site, in build/site
#
# PYTHON chooses the interpreter (3.11, 3.12 or 3.13), VENV the folder of the environment, which keeps the interpreter
# that it was made with: make fast PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
ARGS ?= encoding=rope task=copy
BIN := $(VENV)/bin
PARALLEL := -n auto --dist loadfile

.PHONY: help run test fast check docs clean
help:
	@sed -n 's/^#   //p' Makefile

run: $(VENV)/installed
	$(BIN)/python -m harness $(ARGS)

test: check
	$(BIN)/python -m pytest $(PARALLEL)

fast: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

docs: $(VENV)/installed-test
	$(BIN)/python -m mkdocs build

check: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "error: $$($(PYTHON) --version) does not do: Python 3.11, 3.12 or 3.13 is needed; choose one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

clean:
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
