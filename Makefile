# The two commands of the README are `make run` and `make test`; the others help those who work on it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .make

.PHONY: run test soak bench lint build clean

run: $(STAMPS)/run $(STAMPS)/browser
	@$(BIN)/python -m jiying.config.texts
	@JIYING_DEMO=$${JIYING_DEMO:-1} $(BIN)/jiying migrate
	@JIYING_DEMO=$${JIYING_DEMO:-1} $(BIN)/jiying seed --if-empty
	@JIYING_DEMO=$${JIYING_DEMO:-1} exec $(BIN)/jiying serve

test: $(STAMPS)/dev $(STAMPS)/browser
	@$(BIN)/python -m jiying.config.texts
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/run.sh

# An hour of kills under load; what is wrong stands in the one line it prints.
soak: $(STAMPS)/dev
	@$(BIN)/python -m jiying.config.texts
	@$(BIN)/python -m tests.soak --kills 100 --database postgresql
	@$(BIN)/python -m tests.soak --kills 100 --database sqlite

bench: $(STAMPS)/dev $(STAMPS)/browser
	@$(BIN)/python -m jiying.config.texts
	@for script in bench/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

build: $(STAMPS)/dev $(STAMPS)/browser
	@$(BIN)/python -m jiying.config.texts
	$(BIN)/pip wheel --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) $(STAMPS) node_modules build dist src/jiying/static_vendor

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Jiying wants Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/run: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/run

# The browser libraries; without npm the pages work more plainly.
$(STAMPS)/browser: package.json package-lock.json src/jiying/config/vendor.py | $(BIN)/python
	npm ci --silent --no-fund --no-audit
	$(BIN)/python -m jiying.config.vendor
	@mkdir -p $(STAMPS) && touch $@
