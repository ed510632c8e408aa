# Everything a person does with this repository. `make` alone explains it.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PORTAL := portal gateways messaging guests tests bench

.DEFAULT_GOAL := help
.PHONY: help run test check fire bench screenshots lock needs-python

help:  ## Explain these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: .venv/.run  ## Start the portal on 127.0.0.1 (PORT=8000); the first time, make all it needs
	@$(BIN)/python manage.py first_run
	@exec $(BIN)/python -m portal.processes

test: .venv/.dev  ## Run all tests on SQLite, then those that concern the database on PostgreSQL and Redis
	@.ci/install-servers
	$(BIN)/python -m pytest -n 3
	$(BIN)/python -m pytest -n 3 --engine postgresql

check: .venv/.dev  ## Style, types, imports, migrations, deployment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PORTAL)
	$(BIN)/lint-imports
	@BIN=$(BIN) .ci/check-deployment

fire: .venv/.dev  ## Kill, freeze and crash at random, and compare both books (MESSAGES=1000 SEED=1 ENGINE=postgresql)
	@.ci/install-servers
	@$(BIN)/python -m tests.services.fire --messages $(or $(MESSAGES),1000) --seed $(or $(SEED),1) \
		--engine $(or $(ENGINE),postgresql)

bench: .venv/.dev  ## Measure the portal beside others (ROWS="accept ways send code growth memory", PARTS="dashboard peers")
	-@.ci/install-servers
	$(BIN)/python -m bench $(PARTS)

screenshots: .venv/.dev  ## Take the pictures of the documents anew
	@.ci/install-servers
	$(BIN)/python -m pytest -n 0 tests/browser/test_pictures.py
	$(BIN)/python -m tests.browser.screenshots

lock: .venv/.uv  ## Bring the lock files up to date with pyproject.toml
	@BIN=$(BIN) .ci/lock

# Stamps: a file in .venv is as old as the lock that was installed last.

.venv/.uv: requirements-installer.lock | needs-python
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes --requirement $<
	@touch $@

# Compiled at once, so that no start is slow: uv leaves that to Python, which may not be allowed to write it later.
INSTALL := $(BIN)/uv --quiet pip install --python $(BIN)/python --compile-bytecode --require-hashes --requirement

.venv/.run: requirements.lock .venv/.uv
	@$(INSTALL) $<
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.uv
	@$(INSTALL) $<
	@touch $@ .venv/.run

needs-python:
	@command -v "$(PYTHON)" >/dev/null || { echo "Python 3.11 is missing: apt-get install python3.11 python3.11-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python is older than 3.11: apt-get install python3.11 python3.11-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv is missing: apt-get install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; }
