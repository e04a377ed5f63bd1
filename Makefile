# Everything runs in a private virtual environment that the first target to need it creates.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint types format clean bench bench-dbt bench-tui

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(STAMP)

setup: $(STAMP)  ## create the virtual environment and install everything

demo: $(STAMP)  ## run the main job on the bundled demo project
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/proc2dbt demo --app; else $(BIN)/proc2dbt demo; fi

lint: $(STAMP)  ## lint, format check, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)  ## static types
	$(BIN)/mypy

test: lint types  ## lint, types and the tests
	$(BIN)/pytest -n $(JOBS) -m "not slow"

test-all: lint types  ## everything, with the long suites
	$(BIN)/pytest -n $(JOBS)

format: $(STAMP)  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-dbt: $(STAMP)  ## verification warm against cold dbt, side by side
	$(BIN)/python -m bench.dbt_verify

bench-tui: $(STAMP)  ## latency, first paint, filter time and memory of the app
	$(BIN)/python bench/tui.py

bench: $(STAMP)  ## parsing, typing, compiling and running T-SQL
	$(BIN)/python bench/parse_tsql.py
	$(BIN)/python bench/type_tsql.py
	$(BIN)/python bench/compile.py
	$(BIN)/python bench/interpret.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
