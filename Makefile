# Two commands: `make demo` shows the product on real terms, `make test` passes the tests.
# Each makes its own environment in .venv; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
GATEWAY := .venv-gateway
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
export PYTHONUTF8 = 1
# A file of tests stays in one process, so that what it compiles or draws is made once.
SHARED := -n auto --maxprocesses=4 --dist loadfile

.PHONY: help demo test test-gateway replicate-all test-browser bench check docs pins clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pricewar needs Python 3.11 or later; $$($(PYTHON) --version) found. Set PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 2; }
	@echo "making the environment in $(VENV) (first run only)…" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(BIN)/python
	@echo "installing pricewar's libraries (first run only)…" >&2
	@$(PIP) install -q --require-hashes --only-binary :all: -r requirements.txt
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "installing the test tools (first run only)…" >&2
	@$(PIP) install -q --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.run ## bill a realistic log over real offers: a table here, report.html beside it
	@$(BIN)/pricewar demo

test: $(VENV)/.dev ## lint, types, room rules and every test that needs no browser
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-cache >/dev/null || { $(BIN)/lint-imports --no-cache; exit 1; }
	@$(BIN)/pyright --warnings
	@$(BIN)/pytest $(SHARED) -m "not browser and not gateway and not slow"
	@echo "left out: Chromium (make test-browser), a LiteLLM proxy (make test-gateway), minutes (pytest -m slow)"

$(GATEWAY)/.made: requirements-gateway.txt
	@echo "making the gateway's environment in $(GATEWAY) (first run only)…" >&2
	@$(PYTHON) -m venv $(GATEWAY)
	@$(GATEWAY)/bin/python -m pip --disable-pip-version-check install -q --no-compile --require-hashes \
	  --only-binary :all: -r requirements-gateway.txt
	@touch $@

test-gateway: $(VENV)/.dev $(GATEWAY)/.made ## the plan on a real LiteLLM proxy before vendors that refuse, on loopback
	@$(BIN)/pytest -m gateway tests/gateway

replicate-all: $(VENV)/.dev ## the long replications: every cold start of the grid, correspondences, further seeds
	@$(BIN)/pytest -m slow tests/replications

test-browser: $(VENV)/.dev ## the report in Chromium (Debian: apt-get install chromium fonts-noto-cjk)
	@$(BIN)/pytest $(SHARED) -m browser

bench: $(VENV)/.dev ## speed against peers and against the floor, in one run
	@$(BIN)/python -m bench

docs: $(VENV)/.dev ## write the pages that are made from the code, and the pictures of the README
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/howto.py
	@$(BIN)/python docs/loop.py
	@$(BIN)/python docs/pictures.py

check: test ## everything `make test` does, and the catalogue validated
	@$(BIN)/pricewar offers --validate

pins: $(VENV)/.dev ## pin the requirements again, with hashes and without addresses
	@$(PIP) install -q uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.txt requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-gateway.in -o requirements-gateway.txt

clean: ## remove the environments and what the demo wrote
	rm -rf $(VENV) $(GATEWAY) report.html advice.html
