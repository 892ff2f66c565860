PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help install up down test test-fast lint mutants site pictures bench faults kills sdk lock lacking browser vendor-tests

help:  ## this menu
	@echo "quant: four maturity branches, four environments"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installed anew where the checkout was moved: the programs name the folder that they were installed in.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR)/$(VENV))
.PHONY: $(STAMP)
endif

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) toolchain/python_packages.py install $(VENV)

install: $(STAMP)  ## the pinned Python packages and the engine, nothing else
	@$(BIN)/quantctl toolchain --obtain

up: $(STAMP)  ## bring the four environments up in a local sandbox
	@$(BIN)/quantctl up

down: $(STAMP)  ## stop the sandbox and forget its state
	@$(BIN)/quantctl down --yes

test: $(STAMP) browser  ## every test there is, under the Python of .venv
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --durations 10
	@$(BIN)/python -c 'import platform; print("ran under Python", platform.python_version() + "; other versions: make test-fast")'

test-fast: $(STAMP)  ## the tests that need no engine, under each Python from 3.11 on that is here
	@$(BIN)/python -m tests.each_python -n 2

browser:
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

mutants: $(STAMP)  ## small changes of the deciding modules: how many the fast tests notice
	@$(BIN)/python -m bench.mutants

site: $(STAMP)  ## the documentation as a site, in .site/
	@$(BIN)/mkdocs build --quiet && echo ".site/index.html"

pictures: $(STAMP)  ## draw the README's pictures again; needs Chromium
	@$(BIN)/python -m tests.pictures

bench: $(STAMP)  ## what previews, deployments and drift runs cost: docs/bench.md, README.md; a quarter of an hour on an idle machine
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/python -m bench --readme

sdk: $(STAMP)  ## write infra/sdk/ and the Jobs API's format again, after another version of a package was pinned
	$(BIN)/python -m infra.sdk.generate
	$(BIN)/python -m toolchain.job_format

faults: $(STAMP)  ## every fault at every request, with what became of it; COUNT=20 SEED=7 for a sample
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/python -m tests.faults --seed $(or $(SEED),1) --count $(or $(COUNT),0) $(addprefix --journal ,$(JOURNAL))

kills: $(STAMP)  ## kills and signals at any moment, with what became of it; COUNT=20 SEED=7 for a sample
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/python -m tests.kills --seed $(or $(SEED),1) --count $(or $(COUNT),0) $(addprefix --journal ,$(JOURNAL))

vendor-tests: $(STAMP)  ## the providers' own tests of what we declare, against the sandbox; needs Go, SUITES=integration for some
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/python -m tests.vendor_tests $(SUITES)

lock: $(STAMP)  ## write requirements.lock again, after a change of pyproject.toml
	@$(BIN)/python toolchain/python_packages.py lock $(VENV)

lacking: $(STAMP)  ## write toolchain/lacking.json again, after a change of a provider's pin
	@$(BIN)/quantctl toolchain --obtain
	$(BIN)/python -m toolchain.lacking
	$(BIN)/python -m toolchain.job_format
