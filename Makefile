# Every target works on a fresh clone; `make` by itself says what there is.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
CHECKED := schemas commands projections ops tests

.DEFAULT_GOAL := help
.PHONY: help demo up down test check bench bench-full lock clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## start everything, send a realistic load, show what came of it, stop
	@$(BIN)/licensing demo

up: $(READY) ## start Kafka, Cassandra, Redis, the handler and the workers, and leave them running
	@$(BIN)/licensing up

down: $(READY) ## stop what `make up` started; the data stays
	@$(BIN)/licensing down

test: $(READY) ## run every test, on servers of its own
	@$(BIN)/pytest

check: $(READY) ## lint, format, types, layers, schemas against the releases
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/licensing schema check

bench: $(READY) ## measure beside the peers, a few minutes; tables in .runtime/bench
	@$(BIN)/licensing bench

bench-full: $(READY) ## the same with more work and six runs, for the table in the README
	@$(BIN)/licensing bench --full --runs 6

lock: ## resolve requirements.lock anew from pyproject.toml
	@$(PYTHON) -m venv .runtime/lock
	@.runtime/lock/bin/pip install --quiet uv
	@.runtime/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --all-extras --custom-compile-command "make lock" pyproject.toml -o requirements.lock

clean: ## stop the stack and remove all that was fetched, built or written here
	@if [ -x $(BIN)/licensing ]; then $(BIN)/licensing down; fi
	@rm -rf .venv .runtime .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an interrupted installation is done again.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed and $(PYTHON) is not: make PYTHON=python3.12, or use Docker: docker compose up" >&2; exit 2; }
	@$(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
