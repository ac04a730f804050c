# make run      a working autocapture with a sample organisation on http://127.0.0.1:8000
# make test     everything that is checked before a change is taken
# make lint     formatting, style, types and import rules alone
# make bench    speed: beside other tools on this machine, of matching, and of many mailboxes in simulated time
# make soak     longer searches: thousands of seeds
# make simulate SEEDS=10000   whole worlds in simulated time, until a promise is broken
# make lock     pin every dependency anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
TESTING := $(VENV)/.testing
# Tests start hundreds of processes: what one compiles, the next one reads.
export PYTHONDONTWRITEBYTECODE =
LOCKED := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: run test lint style bench soak simulate lock clean

run: $(RUNTIME)
	$(BIN)/autocapture init
	$(BIN)/autocapture serve --sample

# Types are checked, on one core, while the tests wait for servers and processes on all. A file of tests stays in one process:
# what it prepares once is prepared once.
test: style
	$(BIN)/mypy >$(VENV)/.types 2>&1 & types=$$!; \
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not soak"; tested=$$?; \
	wait $$types; typed=$$?; cat $(VENV)/.types; exit $$((tested + typed))

lint: style
	$(BIN)/mypy

style: $(TESTING)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

bench: $(TESTING)
	$(BIN)/python -m autocapture.testing.bench mail; mail=$$?; \
	$(BIN)/python -m autocapture.testing.bench match; match=$$?; \
	$(BIN)/python -m autocapture.testing.bench providers && [ $$match -eq 0 ] && exit $$mail

soak: $(TESTING)
	$(BIN)/python -m pytest -n 2 -m soak

SEEDS ?= 1000

simulate: $(TESTING)
	$(BIN)/python -m autocapture.testing.simulation --seeds $(SEEDS)

lock:
	$(LOCKED) pyproject.toml requirements-build.in --extra google --extra microsoft -o requirements.txt
	$(LOCKED) pyproject.toml requirements-build.in --all-extras --group test -c requirements.txt -o requirements-test.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "autocapture needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Dovecot and Chromium come from Debian where the caller may install them; without them their tests skip and say so.
# What the tests need holds all that it needs to run.
$(TESTING): requirements-test.txt pyproject.toml | $(BIN)/python
	.ci/peers & peers=$$!; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.txt; \
	installed=$$?; wait $$peers && exit $$installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(RUNTIME) $@
