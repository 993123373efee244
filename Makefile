# The one menu of commands. Each target makes what it needs; on a fresh machine that begins with the virtual environment.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
# Tests and benchmarks start many processes, which would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

VENV ?= .venv
JOBS ?= 2
PYTEST = $(bin)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
DEMO_HOME ?= .demo

bin := $(VENV)/bin
pip := $(bin)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
installed := $(VENV)/.installed
documented := $(VENV)/.installed-docs
measured := $(VENV)/.installed-bench

.PHONY: help
help: ## Show this menu
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

$(bin)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(installed): pyproject.toml constraints.txt | $(bin)/python
	@echo "Installing into $(VENV) (once) …"
	$(pip) -e ".[demo,dev]"
	@touch $@

$(documented): $(installed)
	$(pip) -e ".[demo,dev,docs]"
	@touch $@

$(measured): $(installed)
	$(pip) -e ".[demo,dev,bench]"
	@touch $@

.PHONY: install demo test quick lint format types imports docs bench check clean
install: $(installed) ## Make the virtual environment and install everything the checks need

demo: $(installed) ## The main job on real data: a named universe becomes portfolios, a table and a picture
	@MAINSEQUENCE_HOME="$(DEMO_HOME)/home" $(bin)/mainsequence demo --output "$(DEMO_HOME)/demo.png"

test: $(installed) ## Every test that needs no network
	$(PYTEST) -m "not network"

quick: $(installed) ## The tests that take no time
	$(PYTEST) -m "not slow and not network"

lint: $(installed) ## Style: ruff check and format
	$(bin)/ruff check .
	$(bin)/ruff format --check .

format: $(installed) ## Mend the style
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

types: $(installed) ## mypy, strict
	$(bin)/mypy

imports: $(installed) ## Who may import whom, and no cycles
	$(bin)/lint-imports --no-cache

docs: $(documented) ## Build the pages into site/ (the reference comes from the docstrings)
	NO_MKDOCS_2_WARNING=1 $(bin)/mkdocs build --strict --site-dir site

bench: $(measured) ## Measure against peers; writes benchmarks/RESULTS.md
	$(bin)/python -m benchmarks

check: lint types imports test docs ## All that CI asks

clean: ## Remove what the targets made, but not the virtual environment
	rm -rf site build dist $(DEMO_HOME) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
