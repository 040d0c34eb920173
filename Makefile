# Two commands do everything: `make run` shows the product, `make test` proves it.
.DELETE_ON_ERROR:
.PHONY: run test format lint types tests wheel bench hostile advisories clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

run: $(VENV)/installed
	$(BIN)/sop-server demo

test: lint types tests wheel

lint: $(VENV)/developing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/developing
	$(BIN)/mypy

# Browser tests need a Chromium; where it cannot be had they are skipped, and say so.
tests: $(VENV)/developing
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; } \
		|| echo "No Chromium here and no way to install it: the browser tests are skipped."
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --ignore=tests/packaging

wheel: $(VENV)/developing
	$(BIN)/pytest tests/packaging

format: $(VENV)/developing
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/developing
	$(BIN)/python -m benchmarks

# `make test` walks a sample of the same documents.
hostile: $(VENV)/developing
	$(BIN)/python -m tests.hostile

# Known vulnerabilities of what is installed; 3 where the source cannot be reached, so that nobody takes it for good news.
advisories: $(VENV)/developing
	$(BIN)/python -m tests.checks.advisories

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/developing: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
