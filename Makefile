# The everyday verbs. `make demo` and `make test` need python3 (3.11 or newer) with venv, and nothing else.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
# Wheels only: where a dependency has none, that is the error, instead of a compiler's.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all:

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint format bench clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/installed  ## fit a linear model over three parties on this machine
	$(BIN)/smpc demo

test: lint  ## lint, types and every test
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/installed-dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev  ## lay the code out, mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed-dev  ## how exact the linear model is, how fast all else
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/oblivious_transfer.py
	$(BIN)/python benchmarks/rows.py --most 1000000
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/links.py
	$(BIN)/python benchmarks/speed.py

clean:  ## remove the virtual environment and all caches
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed again only when pyproject.toml has changed: the code itself is used from where it lies.
$(VENV)/installed: pyproject.toml | $(BIN)/pip
	@echo "installing smpc into $(VENV) (a minute or two) ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/pip
	@echo "installing smpc and its development tools into $(VENV) (a minute or two) ..."
	@$(INSTALL) --editable '.[dev]'
	@$(INSTALL) --editable '.[fast]' 2>/dev/null || echo "no wheel of numba here: what tests compiled code is skipped"
	@touch $@ $(VENV)/installed

# pip, not python, is the target: a half-made environment has a python and no pip.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "smpc needs Python 3.11 or newer as '$(PYTHON)': install it, or say which: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "could not make $(VENV): on Debian and Ubuntu 'apt install python3-venv' is missing" >&2; exit 1; }
