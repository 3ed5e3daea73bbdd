.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

help: ## List what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

$(VENV)/main.stamp: requirements/main.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/main.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/main.stamp

install: $(VENV)/dev.stamp ## Install the locked packages, tools and this tree

run: $(VENV)/main.stamp ## Start API, worker and scheduler in one process (PORT=8000)
	@DARKROOM_PORT=$(PORT) exec $(BIN)/python -m apps.cli serve

lock: $(VENV)/dev.stamp ## Pin every package again; no host is written
	$(LOCK) pyproject.toml -o requirements/main.txt
	$(LOCK) pyproject.toml --extra dev -c requirements/main.txt -o requirements/dev.txt

bench-imaging: $(VENV)/dev.stamp ## Measure imaging beside libvips: time, memory, pixels (some minutes)
	@$(BIN)/python -m benchmarks.imaging

FUZZ_S ?= 60
fuzz: $(VENV)/dev.stamp ## Throw damaged files at imaging (FUZZ_S=60 seconds)
	@PYTHONPATH=. $(BIN)/python tests/fuzz/imaging.py -max_total_time=$(FUZZ_S)
