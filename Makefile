# GNU make 4.3, CPython 3.11 and pip: nothing else is needed to begin.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group build
PYTEST ?= $(BIN)/python -m pytest
# Tests that start nothing run side by side; all others one after another: they share brokers, ports and two cores.
PURE := tests/core tests/events tests/protocol tests/generate
SIDE_BY_SIDE := -n 2 --dist worksteal
# Needs Java 17, and Maven to fetch the broker's jars once.
ON_KAFKA := tests/kafka $(addprefix tests/engine/test_,worker.py refusals.py equivalence.py outages.py two_workers.py starting.py kills.py stopping.py)

.PHONY: help install demo bench bench-audit test check laws test-kafka storm fuzz review soak bench-assess bench-alerts fmt lint types imports lock hooks clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

install: $(VENV)/.installed ## make .venv from the locked requirements

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "CPython 3.11 is needed: make install PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: install ## a synthetic trial through the real daemon, in under two minutes
	$(BIN)/safety-monitor demo

test: install ## the whole suite: what starts nothing side by side, then the rest
	@status=0; \
	$(PYTEST) $(SIDE_BY_SIDE) $(PURE) || status=$$?; \
	$(PYTEST) $(PURE:%=--ignore=%) || status=$$?; \
	exit $$status

bench: install ## the worker end to end beside peers that do less, in one run
	$(BIN)/python -m bench.worker

bench-audit: install ## what the log costs: append, verify, prove
	PYTHONPATH=. $(BIN)/python bench/audit.py

test-kafka: install ## the suite of the broker, and what only Apache Kafka shows, on Apache Kafka itself
	$(PYTEST) --kafka $(ON_KAFKA)

storm: install ## N storms from SEED, each of so many EVENTS and FAULTS: what was lost (Kafka and PostgreSQL)
	$(BIN)/python -m tests.storm.run --storms $(or $(N),5) --seed $(or $(SEED),1) --events $(or $(EVENTS),600) --faults $(or $(FAULTS),8)

review: install ## the locked releases as the index knows them today: hashes, and none taken back
	$(BIN)/python -m tests.project.review

fuzz: install ## coverage-guided fuzzing of the doors for SECONDS (Linux on x86-64)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements-fuzz.txt
	$(BIN)/python -m tests.fuzz.run --seconds $(or $(SECONDS),120)

soak: install ## 10,000 patients for MINUTES: is memory flat and below 512 MB? (DATABASE=postgresql, ACTIVE=10000, RATE=40)
	$(BIN)/python -m tests.soak.run --minutes $(or $(MINUTES),10) --database $(or $(DATABASE),sqlite) --active $(or $(ACTIVE),1000) --rate $(or $(RATE),40)

check: lint types imports test ## what must hold before anything is merged

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

laws: install ## the laws of the protocol alone, at 500 histories each
	$(PYTEST) $(SIDE_BY_SIDE) tests/core/test_laws.py tests/core/test_laws_of_values.py

bench-assess: install ## what one more fact of each kind costs, from 10 to 10,000 known (minutes)
	$(BIN)/python -m bench.assess

bench-alerts: install ## how many alerts the synthetic trial gives, per patient and month
	$(BIN)/python -m bench.alert_load

fmt: install ## put the code in its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## renew the locked requirements from pyproject.toml
	test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	$(COMPILE) $(LOCKFLAGS) --output-file requirements.txt
	$(COMPILE) $(LOCKFLAGS) --extra demo --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --group fuzz --output-file requirements-fuzz.txt

hooks: install ## run the same checks before each commit
	$(BIN)/pre-commit install

clean: ## drop what was built, but never the logs in out/
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
