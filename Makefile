PYTHON ?= python3
VENV ?= .venv
DEMO_OPTIONS ?= --subset toy --strategy semi --preset cpu --out runs/demo-$(shell date +%Y%m%d-%H%M%S)

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.PHONY: demo test test-fast lint format clean

demo: $(INSTALLED)
	$(BIN)/mrcnn-al train $(DEMO_OPTIONS)

test: lint
	$(BIN)/python -m pytest

test-fast: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -m "not slow"

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What make itself built besides the environment; runs and weights stay.
clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache
	find mrcnn_al tests samples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): setup.py pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[weights]"
	touch $@

$(INSTALLED_DEV): setup.py pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[dev,weights]"
	touch $@
