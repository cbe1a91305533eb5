# Every target sets up what it needs: a virtual environment in .venv with the versions of constraints.txt.
#
#   make run ARGS="encoding=rope task=copy"     one run (any arguments of python -m harness)
#   make test                                   lint, types, import contracts and all tests
#   make fast                                   the tests that take seconds
#
# PYTHON chooses the interpreter (3.11, 3.12 or 3.13): make run PYTHON=python3.12

PYTHON ?= python3
ARGS ?= encoding=rope task=copy
BIN := .venv/bin
PARALLEL := -n auto --dist loadfile

.PHONY: help run test fast check clean
help:
	@sed -n 's/^#   //p' Makefile

run: .venv/installed
	$(BIN)/python -m harness $(ARGS)

test: check
	$(BIN)/python -m pytest $(PARALLEL)

fast: .venv/installed-test
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

check: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "error: $$($(PYTHON) --version) does not do: Python 3.11, 3.12 or 3.13 is needed; choose one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
