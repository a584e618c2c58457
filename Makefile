# One-word commands. Each sets up what it needs: `make demo` works on a fresh clone.
.DEFAULT_GOAL := help
.PHONY: help demo test test-long lint format bench screenshots package lock clean

VENV   := .venv
PYTHON ?= python3
RUN    := $(VENV)/bin/

ifeq ($(OS),Windows_NT)
RUN := $(VENV)/Scripts/
endif

help:            ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

$(VENV)/ready: requirements.lock pyproject.toml packaging/set_up_environment.sh
	@sh packaging/set_up_environment.sh $(VENV) $(PYTHON)

demo: $(VENV)/ready            ## a simulated plant, the service and the client, showing live charts
	@sh packaging/system_packages.sh client || true
	@$(RUN)factoryops-service demo

test: $(VENV)/ready            ## the whole test suite, real servers included
	@sh packaging/system_packages.sh client servers
	@$(RUN)python -m pytest -q -n 3 --dist loadfile

test-long: $(VENV)/ready       ## the proofs that take minutes
	@sh packaging/system_packages.sh client servers
	@$(RUN)python -m pytest -q -m "long" --timeout=3600

lint: $(VENV)/ready            ## style, types and import contracts
	@$(RUN)ruff format --check .
	@$(RUN)ruff check .
	@$(RUN)mypy
	@$(RUN)lint-imports

format: $(VENV)/ready          ## rewrite files in the house's format
	@$(RUN)ruff format .
	@$(RUN)ruff check --fix .

bench: $(VENV)/ready           ## measure what was promised, as a table and as bench-results.json
	@sh packaging/system_packages.sh client servers
	@$(RUN)python -m tests.benchmarks

screenshots: $(VENV)/ready     ## the real client against a running plant, as pictures in docs/pictures
	@sh packaging/system_packages.sh client screen
	@$(RUN)factoryops-service demo --screenshots docs/pictures

package: $(VENV)/ready         ## wheel and source distribution in dist/
	@$(RUN)python -m hatchling build

lock:                          ## resolve the dependencies anew into requirements.lock
	@$(RUN)python -m uv pip compile pyproject.toml --universal --generate-hashes --extra client --extra service --extra parquet --group dev --no-header -q -o requirements.lock

clean:           ## remove what was built
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
