# Two commands: `make run` and `make test`. Everything lands in .venv and data/; nothing needs root.
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export OMP_NUM_THREADS ?= 1
# Compiled modules are kept: a run of the tests starts many processes, and each would compile the house anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check slow clean

run: $(VENV)/.run
	MAYAK_PORT=$(PORT) $(BIN)/mayak serve

test: $(VENV)/.test
	scripts/browser
	MAYAK_TEST_BIN=$(BIN) $(BIN)/python -m pytest -m "not heavy" -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.test
	MAYAK_TEST_BIN=$(BIN) scripts/check

slow: $(VENV)/.test
	MAYAK_TEST_BIN=$(BIN) scripts/check-slow

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Mayak needs Python 3.11 or newer; set PYTHON=python3.11 (or newer)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No venv module: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing pinned dependencies (a few minutes, once)…"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing test dependencies (a few minutes, once)…"
	@$(PIP) install -c constraints.txt -e ".[test]"
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) data
