# Two commands do everything, set-up included:  make run  ·  make test
# On real data instead of the demo:  make run EXAMPLE=cdnow · complete_journey · ta_feng
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install run test lint types prove bench dev clean lock

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
export TIERING_HOME ?= $(CURDIR)/data$(addprefix -,$(EXAMPLE))
export PYTHONWARNINGS ?= ignore

help:
	@echo "make run    the demo company from its extracts to a published release; EXAMPLE=cdnow, complete_journey, ta_feng: real data"
	@echo "make test   the test suite"
	@echo "make dev    the graph in a browser, on 127.0.0.1:3000"
	@echo "make install   the packages, into .venv; the other targets do it by themselves"
	@echo "make lint · types · prove · bench · lock · clean"

# uv installs the lock in seconds; byte code is written now rather than at every first start.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else "Python 3.11 or 3.12 is needed, this is %s.%s" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || { awk '/^uv==/,/[^\\]$$/' requirements.lock > $(VENV)/uv.txt && \
		$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.txt; }
	@echo "installing the locked packages"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

install: $(READY)

run: $(READY)
ifdef EXAMPLE
	@days=$$($(BIN)/python -m examples $(EXAMPLE)) && $(BIN)/tiering backfill $$days
	@echo "its home: export TIERING_HOME=$(TIERING_HOME)"
else
	@$(BIN)/tiering demo
	@$(BIN)/tiering backfill --from 2025-10-01 --to 2025-12-29
	@$(BIN)/tiering run
endif

# File by file, as they are named: the long ones, of whole runs, come first. By itself xdist begins with the files of
# most tests, and one worker ends alone with a file of few and long ones.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test: $(READY)
	@$(PYTEST)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project/models dbt_project/tests

types: $(READY)
	@$(BIN)/mypy

prove: $(READY)
	@PROVE=1 $(PYTEST)

bench: $(READY)
	@$(BIN)/python -m benchmarks.daily
	@$(BIN)/python -m benchmarks.quality
	@$(BIN)/python -m benchmarks.landing

dev: $(READY)
	@mkdir -p $(TIERING_HOME)/dagster
	@cp -n orchestration/dagster.yaml $(TIERING_HOME)/dagster/
	@DAGSTER_HOME=$(TIERING_HOME)/dagster $(BIN)/dagster dev --host 127.0.0.1 --workspace workspace.yaml

lock: $(READY)
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --all-extras --output-file requirements.lock pyproject.toml build.in

clean:
	rm -rf $(VENV) dbt_project/target dbt_project/logs .mypy_cache .pytest_cache .ruff_cache *.egg-info
