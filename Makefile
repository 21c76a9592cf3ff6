# `make demo` and `make test` need nothing but make and Python 3.11 or newer, with its venv module.
PYTHON ?= python3
PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input -q
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-header -q
WITH =
DEMO := .venv/.installed
DEV := .venv/.installed-dev

# One worker more than there are cores: some of them wait for a disk, a server or a process.
WORKERS = $$(.venv/bin/python -c 'import os; print(os.cpu_count() + 1)')

# What a shell may carry in from another project must not reach ours.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE PIP_USER PIP_TARGET PIP_PREFIX

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test faults fast lint run bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(DEMO) ## install Afterword into .venv

demo: $(DEMO) ## play a whole incident without Slack, and write its postmortem
	@.venv/bin/afterword demo

test: $(DEV) ## run everything that CI runs
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/pytest -n $(WORKERS) --dist worksteal

faults: $(DEV) ## run the tests of docs/reliability.md alone
	.venv/bin/pytest -n $(WORKERS) --dist worksteal -m fault

fast: $(DEV) ## run the tests alone, without whole lives, PostgreSQL and programs that load for long
	.venv/bin/pytest -n $(WORKERS) --dist worksteal -q -m "not slow and not postgres and not process"

lint: $(DEV) ## format, and mend what can be mended
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

run: $(DEMO) ## run the bot with the settings in .env
	.venv/bin/afterword run

bench: $(DEV) ## measure how fast Afterword answers
	.venv/bin/python -m tests.bench

lock: ## lock the dependencies (needs uv); to move every version: make lock WITH=--upgrade
	$(LOCK) $(WITH) --group build -o requirements.lock
	$(LOCK) $(WITH) --extra docx --extra pdf --group build -o docs/deploy/image.lock
	$(LOCK) $(WITH) --extra docx --extra pdf --group build --group dev -o requirements-dev.lock

clean: ## remove what was built
	rm -rf .venv dist demo-out .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/pip:
	@command -v $(PYTHON) >/dev/null || { echo "Afterword needs Python 3.11 or newer; there is no $(PYTHON) here." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Afterword needs Python 3.11 or newer; $(PYTHON) is " \
	+ sys.version.split()[0] + ". Name another: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv

$(DEMO): requirements.lock pyproject.toml | .venv/bin/pip
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml | .venv/bin/pip
	$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(DEMO)
