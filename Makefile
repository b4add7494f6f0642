# `make demo` and `make study` need nothing but Python 3.11, 3.12 or 3.13 with venv.

# The first of these that is a Python stresslab runs on; or name one: make demo PYTHON=python3.12
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$name && exit; done; echo python3)
endif
VENV ?= .venv
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
INSTALLED := $(VENV)/installed-$(VERSION)
BIN := $(VENV)/bin

# Compiled bytecode makes every later start fast; keep it even where the shell says otherwise.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help environment demo study verdicts test benchmark coverage mutation check lint types \
	format lock docs clean

help:            ## say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

environment: $(INSTALLED)-dev

# A study with failed cells (exit code 1) is reported all the same.
STUDY = $(BIN)/stresslab run configs/$(1).yaml; code=$$?; \
	test $$code -le 1 && $(BIN)/stresslab report runs/$(1) && exit $$code

demo: $(INSTALLED)       ## the headline study in small, with figures: two minutes
	@$(call STUDY,demo)

study: $(INSTALLED)      ## the headline study in full, with figures
	@$(call STUDY,cross_vs_isolated)

test: $(INSTALLED)-dev   ## the whole test suite
	@$(BIN)/python -m pytest -n 2

BENCHMARKS = headline orders sweep workers

benchmark: $(INSTALLED)-dev  ## speed figures, on request: goals stand at the head of each file
	@$(BIN)/python -m pytest -q -s tests/benchmark
	@for name in $(BENCHMARKS); do echo "== $$name"; \
		$(BIN)/python -m tests.benchmark.bench_$$name || exit 1; done

coverage: $(INSTALLED)-dev   ## branches of the rulebook that its tests take, without compilation
	@$(BIN)/python -m tests.strength.branches

mutation: $(INSTALLED)-dev   ## what the tests of the rulebook notice when a tenth of it is broken
	@$(BIN)/python -m tests.strength.mutation --share 0.1

check: lint types        ## format, lint, import rules, types

lint: $(INSTALLED)-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

types: $(INSTALLED)-dev
	@$(BIN)/mypy

format: $(INSTALLED)-dev     ## write the code in the house's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

verdicts: $(INSTALLED)   ## hold everything against what was known: ten minutes; write table and figures
	@$(BIN)/stresslab validate; code=$$?; \
	$(BIN)/stresslab validate --page docs/explanation/validation/README.md && \
	for figure in runs/validation/*.png; do \
		cp $$figure docs/figures/validation-$$(basename $$figure); done && exit $$code

docs: $(INSTALLED)       ## write docs/reference/ again from the declarations
	@mkdir -p docs/reference
	@$(BIN)/python -m stresslab.cli.reference docs/reference

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url pyproject.toml

lock: $(INSTALLED)       ## pin the newest versions that fit, for all three Pythons
	@$(COMPILE) --upgrade --group install --output-file requirements.lock
	@$(COMPILE) --upgrade --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock

# A changed lock, another Python or an interrupted installation makes the folder anew.
$(INSTALLED): requirements.lock pyproject.toml .ci/install
	@.ci/install $(PYTHON) $(VENV) requirements.lock
	@touch $@

$(INSTALLED)-dev: requirements-dev.lock $(INSTALLED)
	@echo "adding the tools of developers"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock \
		|| $(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

clean:           ## remove what was installed and cached (runs/ stays)
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find stresslab tests -name __pycache__ -type d -prune -exec rm -rf {} +
