PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help install up down test lint bench faults lock

help:  ## this menu
	@echo "quant: four maturity branches, four environments"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}: make PYTHON=/path/to/python3.11")'
	@echo "installing the pinned Python packages into $(VENV): about a minute, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check -e . --no-deps --no-build-isolation
	@touch $@

install: $(STAMP)  ## the pinned Python packages and the engine, nothing else
	@$(BIN)/quantctl toolchain --obtain

up: $(STAMP)  ## bring the four environments up in a local sandbox
	@$(BIN)/quantctl up

down: $(STAMP)  ## stop the sandbox and forget its state
	@$(BIN)/quantctl down

test: $(STAMP) browser  ## every test there is
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 10

browser:  ## headless Chromium for the tests of the status page: from Debian, where root may install it
	@command -v chromium >/dev/null && command -v pdftotext >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing Debian's chromium and poppler-utils: about a minute, once"; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	      chromium poppler-utils fonts-dejavu-core; } >/dev/null 2>&1 || echo "apt-get failed: what needs a browser is skipped"; \
	  else echo "no Chromium or no pdftotext, and no root with apt-get to install them: what needs them is skipped"; fi

lint: $(STAMP)  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## how long previews and deployments take
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/python -m bench

faults: $(STAMP)  ## every fault at every request, with what became of it; COUNT=20 SEED=7 for a sample
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/python -m tests.faults --seed $(or $(SEED),1) --count $(or $(COUNT),0)

lock: $(STAMP)  ## write requirements.lock again, after a change of pyproject.toml
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet --disable-pip-version-check uv
	$(VENV)/lock/bin/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 \
	  --no-header --quiet --output-file requirements.lock
