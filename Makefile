# Needs Python 3.11 to 3.13, git and make; everything else goes into .venv.
#   make test PYTHON=python3.12     another interpreter (.venv is made again for it)
#   make study STUDIES=speed     one study, or several; `benchmarks/__main__.py` lists them
#   make test PYTEST_ARGS="-k cli"  arguments for pytest (by default two workers)
.DEFAULT_GOAL := help
.PHONY: help demo test test-study docs study lint clean

PYTHON ?= python3
# Files in their order: by number of tests the notebooks, few and long, would come last. A worker
# that crashes ends the run: its substitute would wait for ever for the rest of the file.
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
STUDIES ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
MADE := $(VENV)/.made-$(or $(VERSION),unknown)

# Tests and tutorials on real data find them beside the checkout, where there are any.
ifeq ($(origin BAYESCALE_DATA),undefined)
ifneq ($(wildcard ../shared/data/.),)
export BAYESCALE_DATA := $(abspath ../shared/data)
endif
endif

# What is tested; the package itself says no upper bound.
CHECK = @$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || \
	  { echo "$(PYTHON) is no Python 3.11, 3.12 or 3.13 (found: $(or $(VERSION),none))." \
	         "Say which one to use: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }

PYTEST := JAX_PLATFORMS=$${JAX_PLATFORMS:-cpu} $(BIN)/python -m pytest

help:
	@echo "make demo        GPT-3's two-digit addition, forecast from the small models"
	@echo "make test        all tests but those marked as studies"
	@echo "make test-study  the tests so marked: every law, every notebook, many damages (long)"
	@echo "make docs        the site, in docs/_build; executes the notebooks with few draws"
	@echo "make study       simulation-based calibration, speed and memory (long)"
	@echo "make lint        ruff and pyright"
	@echo "make clean       remove .venv, caches and build output"

demo: $(VENV)/.installed
	$(BIN)/bayescale demo

test: $(VENV)/.installed-test
	$(PYTEST) $(PYTEST_ARGS)

test-study: $(VENV)/.installed-test
	$(PYTEST) $(PYTEST_ARGS) -m study

# In environments aside: Sphinx, and the rivals of the speed study, would weigh on everybody's install.
docs: $(VENV)-docs/.installed
	$(VENV)-docs/bin/python -m sphinx -W --keep-going --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

$(VENV)-docs/.installed: pyproject.toml
	$(CHECK)
	$(PYTHON) -m venv --clear $(VENV)-docs
	$(VENV)-docs/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[docs]"
	@touch $@

study: $(VENV)-study/.installed
	$(VENV)-study/bin/python -m benchmarks $(STUDIES)

$(VENV)-study/.installed: pyproject.toml
	$(CHECK)
	$(PYTHON) -m venv --clear $(VENV)-study
	$(VENV)-study/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[study]"
	@touch $@

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

$(MADE):
	$(CHECK)
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(MADE) pyproject.toml
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(MADE) pyproject.toml
	$(PIP) --editable ".[test]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: $(MADE) pyproject.toml
	$(PIP) --editable ".[dev]"
	@touch $@ $(VENV)/.installed-test $(VENV)/.installed

clean:
	rm -rf $(VENV) $(VENV)-study $(VENV)-docs docs/_build docs/tutorials build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
