# make demo    sets up, then serves the demonstration:  make demo PORT=8123 DATA=/tmp/demonstration
# make test    sets up what the tests need (PostgreSQL, Redis, Chromium), then runs them all
# make bench-ledger  measures the record on this machine against its targets; a minute or two, best with nothing else running
# make verify  formatting, types, layers, migrations, front end: exactly what CI runs before the tests

PYTHON ?= python3
PORT ?= 8000
DATA ?= consult-demo
UV_VERSION := 0.13.9

BIN := .venv/bin
UV := $(BIN)/uv
BROWSER := consult/browser
# what is built, and what describes it
SOURCES := $(addprefix consult/,__init__.py policies.py release.py) $(shell find $(BROWSER) consult/static -type f -not -path '*/node_modules/*' -not -path '*/tests/*' -not -path '*/dist/*')
BUILT := consult/static/consult/dist/manifest.json

.PHONY: demo test bench-ledger verify build front-end clean
.DELETE_ON_ERROR:

demo: .build/app
	@exec $(BIN)/consult --data $(DATA) demo --port $(PORT)

test: .build/dev
	@$(BIN)/python scripts/test_tools.py
	$(BIN)/pytest
	CONSULT_TEST_ENGINES=servers $(BIN)/pytest -m engines -q
	@$(BIN)/python scripts/npm.py run --silent test

bench-ledger: .build/dev
	@$(BIN)/python -m tests.load.ledger

verify: .build/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django makemigrations --check --dry-run
	$(BIN)/python scripts/npm.py run --silent types
	$(BIN)/python scripts/npm.py run --silent lint

build: .build/dev
	$(UV) build --quiet --out-dir dist

# venv without pip, then uv inside it: works where Debian's python3-venv is missing and where the system's pip is locked
$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Consult needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making .venv…"
	@$(PYTHON) -m venv --without-pip .venv
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "pip is missing: apt install python3-pip"; exit 1; }
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.build/run: $(UV) requirements/run.txt
	@mkdir -p .build
	@echo "Fetching Python packages…"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	@touch $@

# the editable install builds the front end (hatch_build.py)
.build/app: .build/run pyproject.toml hatch_build.py $(SOURCES)
	@echo "Building the front end (a minute the first time)…"
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

.build/dev: .build/app requirements/dev.txt $(BROWSER)/package-lock.json
	@echo "Fetching what the tests need…"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/python hatch_build.py --for-tests
	@touch $@

clean:
	rm -rf .venv .build dist $(BROWSER)/node_modules consult/static/consult/dist
