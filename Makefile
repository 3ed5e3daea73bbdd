.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
PORT ?= $(or $(DARKROOM_PORT),8000)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
SERVICES := infra/local/services
# Where PYTHONDONTWRITEBYTECODE is set, each process that starts would compile all modules again.
COMPILE := $(BIN)/python -m compileall -q apps libs
# Nor would a process of the tests find what another has made of the assertions of a file.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest
ARGS ?=
ATTACK ?=
ROWS ?= 1000000
BATCH_ROWS ?= 1000
FUZZ_S ?= 60
EXAMPLES ?= 100
BASE ?=
PROCESSES ?= $(if $(ARGS),0,4)
SPREAD := -n $(PROCESSES) $(if $(ARGS),,--durations=15)
WORKERS ?= 1
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' libs/__init__.py)

.PHONY: secrets up down logs help install run test test-fast test-load test-requests test-chaos lint format services services-down bench bench-cpu bench-peers bench-delivery bench-batch bench-imaging bench-search bench-keys bench-console bench-scale fuzz lock docs docs-site diagrams schema wheel image sbom release screenshots clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

run: $(VENV)/main.stamp ## Start the server: API, worker and scheduler in one process (PORT=8000)
	@$(COMPILE)
	@DARKROOM_PORT=$(PORT) exec $(BIN)/python -m apps.cli serve

install: $(VENV)/dev.stamp ## Install the locked packages, the development tools and this tree

test: $(VENV)/dev.stamp services ## Run every test on both backends; starts the services itself (PROCESSES=4)
	@$(COMPILE)
	@set -a && eval "$$($(SERVICES) env)" && set +a && $(PYTEST) $(SPREAD) $(ARGS)

test-fast: $(VENV)/dev.stamp ## Run the tests that need no services
	@$(COMPILE)
	$(PYTEST) -m "not services" $(SPREAD) $(ARGS)

test-load: $(VENV)/dev.stamp services ## Attack running sites and print the times of another account (ATTACK=name for one)
	@set -a && eval "$$($(SERVICES) env)" && set +a && ATTACK="$(ATTACK)" $(BIN)/python -m benchmarks.load

test-requests: $(VENV)/dev.stamp services ## Send many generated requests, and compare answers and description (EXAMPLES=100)
	@set -a && eval "$$($(SERVICES) env)" && set +a && EXAMPLES=$(EXAMPLES) SECONDS_EACH=3600 $(BIN)/pytest -n 2 --timeout 7500 tests/clients/test_generated_requests.py

test-chaos: $(VENV)/dev.stamp ## Kill, stop and cut off every process and service under work (12 minutes)
	$(BIN)/pytest -n 0 -m chaos tests/chaos $(ARGS)

lint: $(VENV)/dev.stamp ## Check style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/hadolint infra/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml benchmarks/delivery/compose.yml

format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

services: $(VENV)/dev.stamp ## Start PostgreSQL, RabbitMQ and an S3 server for tests
	@$(SERVICES) up

services-down: ## Stop them and their processes
	@$(SERVICES) down

bench: $(VENV)/dev.stamp services ## Measure a job from upload to result, embedded and on the services
	@set -a && eval "$$($(SERVICES) env)" && set +a && $(BIN)/python -m benchmarks.main_job

bench-cpu: $(VENV)/dev.stamp services ## Measure the CPU of requests and jobs (BASE=commit to compare with)
	@set -a && eval "$$($(SERVICES) env)" && set +a && BASE=$(BASE) $(BIN)/python -m benchmarks.request_cpu

bench-peers: $(VENV)/dev.stamp services ## Compare with a Django and Celery service and with ipx (6 minutes)
	@set -a && eval "$$($(SERVICES) env)" && set +a && $(BIN)/python -m benchmarks.peers

bench-delivery: $(VENV)/dev.stamp services ## Compare images by URL with ipx and thumbor, and hits with links (12 minutes)
	@set -a && eval "$$($(SERVICES) env)" && set +a && $(BIN)/python -m benchmarks.delivery

bench-batch: $(VENV)/dev.stamp services ## Measure a CSV batch beside interactive work (BATCH_ROWS=1000)
	@set -a && eval "$$($(SERVICES) env)" && set +a && ROWS=$(BATCH_ROWS) $(BIN)/python -m benchmarks.batch

bench-search: $(VENV)/dev.stamp services ## Measure the duplicate search (ROWS=1000000)
	@set -a && eval "$$($(SERVICES) env)" && set +a && ROWS=$(ROWS) $(BIN)/python -m benchmarks.search

bench-keys: $(VENV)/dev.stamp services ## Measure the check of an API key among 100,000, and what CORS and the description add
	@set -a && eval "$$($(SERVICES) env)" && set +a && $(BIN)/python -m benchmarks.key_check
	@$(BIN)/python -m benchmarks.browser_requests

bench-scale: $(VENV)/dev.stamp services ## Measure queries and messages a job, upkeep among many rows, and two workers (ROWS=1000000)
	@set -a && eval "$$($(SERVICES) env)" && set +a && ROWS=$(ROWS) $(BIN)/python -m benchmarks.scaling

bench-imaging: $(VENV)/dev.stamp ## Compare imaging with libvips and, if node and npm are there, sharp (10 minutes)
	@$(BIN)/python -m benchmarks.imaging

fuzz: $(VENV)/dev.stamp ## Fuzz the imaging library with damaged files (FUZZ_S=60 seconds)
	@PYTHONPATH=. $(BIN)/python tests/fuzz/imaging.py -max_total_time=$(FUZZ_S)

secrets: ## Write missing secrets to .env, and RabbitMQ's users to .secrets
	@$(PYTHON) -m infra.make_secrets

up: secrets ## Build and start everything in containers; WORKERS=3 for more workers
	docker compose up --build --detach --scale worker=$(WORKERS)

down: ## Stop the containers; keep their data
	docker compose down

logs: ## Follow the logs of the containers
	docker compose logs --follow --tail 100

docs: schema ## Write the generated pages again: operations, steps, configuration, errors, metrics, the contract, the Helm chart
	@PYTHONPATH=. $(BIN)/python docs/images/draw.py
	$(BIN)/python -m docs.generate.configuration > docs/configuration.md
	$(BIN)/python -m docs.generate.configuration example > .env.example
	$(BIN)/python -m docs.generate.errors > docs/errors.md
	$(BIN)/python -m docs.generate.steps > docs/steps.md
	$(BIN)/python -m docs.generate.metrics > docs/metrics.md
	$(BIN)/python -m docs.generate.messages > docs/messages.md
	$(BIN)/python -m docs.generate.api > docs/api.md
	$(BIN)/python -m infra.kubernetes.chart
	@$(BIN)/python -m docs.generate.site

docs-site: $(VENV)/dev.stamp ## Build the documents as a site with search, in site/html
	@$(BIN)/python -m docs.generate.site

diagrams: $(VENV)/dev.stamp ## Draw the diagrams of the documents again, with Mermaid from npm
	$(BIN)/python -m docs.generate.diagrams

schema: $(VENV)/dev.stamp ## Write the contract's JSON Schema and AsyncAPI again
	$(BIN)/python -m libs.contracts.schema > libs/contracts/schema.json
	$(BIN)/python -m libs.contracts.asyncapi > libs/contracts/asyncapi.json

wheel: $(VENV)/dev.stamp ## Build dist/darkroom-VERSION-py3-none-any.whl
	$(BIN)/hatchling build -t wheel

image: ## Build the container image, tagged with its version and `local`
	docker build --file infra/Dockerfile --tag darkroom:$(VERSION) --tag darkroom:local --build-arg VERSION=$(VERSION) .

sbom: $(VENV)/dev.stamp ## Write dist/sbom.cdx.json: every locked package, as CycloneDX
	@mkdir -p dist
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements/main.txt --pyproject pyproject.toml --output-reproducible -o dist/sbom.cdx.json

bench-console: $(VENV)/dev.stamp services ## Measure the console in Chromium: first load, 10,000 images, previews
	@set -a && eval "$$($(SERVICES) env)" && set +a && $(BIN)/python -m benchmarks.console

release: ## Name a version everywhere, date the changelog, commit and tag it (NEW=0.2.0)
	@$(PYTHON) -m infra.release $(NEW)

screenshots: $(VENV)/dev.stamp services ## Take the README's pictures again: its commands in a terminal, the console, the admin pages
	@PYTHONPATH=. $(BIN)/python docs/images/record_terminal.py
	@set -a && eval "$$($(SERVICES) env)" && set +a && SCREENSHOTS=docs/images $(BIN)/pytest -q tests/e2e/test_admin_pages.py -k operator_sees
	@set -a && eval "$$($(SERVICES) env)" && CONSOLE_PICTURES=$$(mktemp -d) && set +a && $(BIN)/pytest -q tests/console/test_library.py -k forty && $(BIN)/python -c "import sys; from PIL import Image; Image.open(sys.argv[1]).convert('RGB').quantize(200).save('docs/images/console-library.png', optimize=True)" $$CONSOLE_PICTURES/library-1600-light.png && rm -r $$CONSOLE_PICTURES

lock: $(VENV)/dev.stamp ## Pin every package again, without the address of an index
	$(LOCK) pyproject.toml -o requirements/main.txt
	$(LOCK) pyproject.toml --extra telemetry -c requirements/main.txt -o requirements/telemetry.txt
	$(LOCK) pyproject.toml --extra dev --extra telemetry -c requirements/telemetry.txt -o requirements/dev.txt
	$(LOCK) --no-deps requirements/kubernetes.in -o requirements/kubernetes.txt
	$(LOCK) --group sbom -c requirements/dev.txt -o requirements/sbom.txt
	$(LOCK) --group build -c requirements/dev.txt -o requirements/build.txt

clean: services-down ## Remove the virtual environment and caches; keep the data
	rm -rf $(VENV) .pytest_cache .ruff_cache

$(VENV)/main.stamp: requirements/main.txt requirements/build.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --no-deps --require-hashes -r requirements/main.txt -r requirements/build.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements/kubernetes.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --no-deps --require-hashes -r requirements/dev.txt -r requirements/kubernetes.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(VENV)/main.stamp $@
