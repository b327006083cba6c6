# `make demo` shows the product, `make test` runs what CI runs, `make` lists the rest.
# VENV=path uses an environment that has everything already; nothing is installed then.

VENV ?= .venv
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)) python3)
BIN := $(VENV)/bin
JOBS ?= 2
# All tests wait for browsers and kernels a quarter of their time: a third worker uses it.
WAITING ?= 1
# tests/together.py makes the groups of tests and their order.
GROUPS := --dist loadgroup --no-loadscope-reorder
CHROMIUM ?= chromium
# Jupyter refuses root, which one is in a container, unless it is told.
LAB = $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

ifeq ($(origin VENV),file)
READY := $(VENV)/.installed
DEVELOPING := $(VENV)/.developing
else
READY :=
DEVELOPING :=
export PYTHONPATH := $(CURDIR)/kernel_ext:$(CURDIR)/store
endif

# The tests start hundreds of Pythons; without bytecode each would compile all again.
unexport PYTHONDONTWRITEBYTECODE

, := ,
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"
say = @printf '\033[1m%s\033[0m\n' "$(1)"

.PHONY: help check test quick whole demo lab bench soak ui picture lock lint types contracts format clean

help:  ## what this list is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(VENV)/.installed: requirements.lock pyproject.toml
	$(call say,Installing into $(VENV) (hashes checked; about a minute the first time))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed requirements-dev.lock
	$(call say,Installing what the tests and linters need (a minute or two the first time))
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

# Types and contracts take one core, and tests wait a quarter of their time: side by side.
check: lint  ## for every commit: lint, types, contracts, pure and store tests
	@$(MAKE) --no-print-directory --jobs 3 types contracts quick

test: lint  ## everything CI runs
	@$(MAKE) --no-print-directory --jobs 3 types contracts whole

quick: $(DEVELOPING)
	$(call say,Tests of the engine$(,) the store and the docs)
	@$(BIN)/python -m pytest -q -n $(JOBS) $(GROUPS) --hypothesis-profile quick -m "not slow" $(wildcard tests/engine tests/store tests/kernel tests/docs tests/mutants)

whole: $(DEVELOPING)
	$(call say,All tests)
	@$(BIN)/python -m pytest -n $(shell expr $(JOBS) + $(WAITING)) $(GROUPS) tests

lint: $(DEVELOPING)
	$(call say,Lint (ruff$(,) docstrings of tests))
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "not formatted: make format"; exit 1; }
	@$(BIN)/interrogate --quiet tests

types: $(DEVELOPING)
	$(call say,Types (mypy))
	@$(BIN)/mypy --no-error-summary

contracts: $(DEVELOPING)
	$(call say,Contracts (who may import whom))
	@$(BIN)/lint-imports --no-logo > .contracts.log 2>&1 || { cat .contracts.log; exit 1; }

format: $(DEVELOPING)  ## format the code, fix what can be fixed
	@$(BIN)/ruff check --quiet --fix --exit-zero .
	@$(BIN)/ruff format --quiet .

demo: $(READY)  ## kill a kernel in the middle of an agent, run it again, count (SEED=n repeats one)
	@$(BIN)/python -m nbdurable.testing.demo $(if $(SEED),--seed $(SEED))

lab: $(READY)  ## JupyterLab on the example notebooks (a fake model answers if there is no key)
	$(call say,JupyterLab on example_notebooks (Ctrl-C twice ends it; ARGS= are passed on))
	@test -n "$$OPENAI_API_KEY" && exec $(BIN)/jupyter lab example_notebooks $(LAB); \
	exec $(BIN)/python -m nbdurable.testing.model_server --port 8790 --log .requests.jsonl -- $(BIN)/jupyter lab example_notebooks $(LAB)

bench: $(DEVELOPING)  ## what durability costs, beside bare SQLite: one table
	@$(BIN)/python benchmarks/run.py $(ARGS)

soak: $(DEVELOPING)  ## kill kernels at random moments for MINUTES (default 10)
	$(call say,Killing kernels for $(or $(MINUTES),10) minutes)
	@NBDURABLE_SOAK_MINUTES=$(or $(MINUTES),10) $(BIN)/python -m pytest -q -p no:randomly tests/crash -m soak

picture: $(READY)  ## docs/picture.png and its dark twin again, from the demo's page (needs chromium)
	@folder=$$(mktemp -d) && \
	$(BIN)/python -m nbdurable.testing.demo --seed $(or $(SEED),17) --folder $$folder/demo && \
	for scheme in 1 0-dark; do \
	  $(CHROMIUM) --headless --no-sandbox --hide-scrollbars --window-size=1100,540 \
	    --blink-settings=preferredColorScheme=$${scheme%-dark} --screenshot=$$folder/$$scheme.png \
	    file://$$folder/demo/run.html 2>/dev/null || exit 1; \
	done && \
	mv $$folder/1.png docs/picture.png && mv $$folder/0-dark.png docs/picture-dark.png && rm -r $$folder

ui: $(DEVELOPING)  ## build the view of the timeline again, after a change in labextension/
	@$(BIN)/python labextension/generate.py
	@cd labextension && export PATH="$(abspath $(BIN)):$$PATH" && \
	npm ci --silent --no-audit --no-fund --ignore-scripts && npm run --silent build && npm test --silent
	@$(BIN)/python labextension/generate.py --hash

lock: $(DEVELOPING)  ## make the lock files again, from pyproject.toml and tests/*/*.in
	$(call say,Resolving for Python 3.11 and newer on every platform)
	@$(LOCK) --extra demo --extra lab --extra timeline --extra build --output-file requirements.lock pyproject.toml
	@$(LOCK) --all-extras --constraints requirements.lock --output-file requirements-dev.lock pyproject.toml
	@for input in tests/*/*.in; do $(LOCK) --output-file $${input%.in}.txt $$input; done

clean:  ## remove what make made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .contracts.log dist


