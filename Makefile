# All tasks of this repository. Each target installs what it requires, once.
#
# Settings, on the command line (make demo DOSE_HTTP_PORT=8043) or in the environment:
#   DOSE_HTTP_PORT=8042  DOSE_DICOM_PORT=4242  DOSE_DATA=data  DOSE_REMOTE_ACCESS=false  DOSE_DEMO_STUDIES=200

.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
SETUP := @tools/setup.sh
ARGS ?=
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
SEED ?= 1
MINUTES ?= 10
# tests/conftest.py determines the order of the files.
PYTEST := $(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 25

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: demo
demo: ## run Orthanc with the plugin in the foreground, with synthetic studies
	$(SETUP) orthanc venv ui
	@exec $(PYTHON) -u tools/run.py --demo

.PHONY: run
run: ## run Orthanc with the plugin in the foreground
	$(SETUP) orthanc venv ui
	@exec $(PYTHON) -u tools/run.py

.PHONY: test
test: lint ## run all tests, one file per processor; ARGS is passed to pytest (make test ARGS="-k store -x")
	$(SETUP) orthanc chromium ocr proxies provider ui-tests
	@$(PYTEST) $(ARGS)

# Tests that try more and take too long for everyday use: many examples of each property, each page in both themes
# and both widths, the routes with more requests, and damaged reports, read and sent, for MINUTES each.
.PHONY: test-long
test-long: lint ## run the tests that take too long for everyday use (make test-long MINUTES=60 SEED=3)
	$(SETUP) orthanc chromium ocr provider ui
	@$(PYTHON) -m tests.fuzz --minutes $(MINUTES) --seed $(SEED)
	@$(PYTHON) -m tests.fuzz --store plugin --minutes $(MINUTES) --seed $(SEED)
	@DOSE_TESTS=long DOSE_TESTS_SEED=$(SEED) $(PYTEST) -m tries_more --timeout 7200 --hypothesis-seed $(SEED) $(ARGS)

.PHONY: lint
lint: ## check the Python code and the web UI
	$(SETUP) orthanc venv-dev ui-lint
	@$(PYTHON) -m ruff format --check --quiet . || { echo 'Run: .venv/bin/python -m ruff format .'; exit 1; }
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy

.PHONY: bench
bench: ## measure and print the ratios given in the README; ARGS is passed to the benchmark
	$(SETUP) orthanc venv-dev ui
	@$(PYTHON) -m bench $(ARGS)

.PHONY: setup
setup: ## install everything that the other targets require
	$(SETUP) orthanc chromium ocr proxies provider venv-dev ui

.PHONY: ui
ui: ## build the web UI (webui/dist)
	$(SETUP) orthanc ui

.PHONY: docs
docs: ## generate docs/data-dictionary.md, records/rows.py and the web UI's facts and types of the API from the declarations
	$(SETUP) orthanc venv ui-modules
	@$(PYTHON) -m orthanc_dose.cli data-dictionary > docs/data-dictionary.md
	@$(PYTHON) tools/row_types.py
	@$(PYTHON) tools/web_facts.py
	@$(PYTHON) tools/api_types.py

.PHONY: wheel
wheel: ## build dist/orthanc_dose-*.whl, including the web UI
	$(SETUP) orthanc venv ui
	@$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

.PHONY: clean
clean: ## remove everything that was built or installed in this folder; ./data stays
	@rm -rf .venv build dist webui/dist webui/node_modules tests/provider/node_modules .pytest_cache .hypothesis .mypy_cache .ruff_cache .schemathesis
	@find plugin tools tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
