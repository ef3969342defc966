.DEFAULT_GOAL := help
PYTHON ?= python3
READY := .venv/.ready
# What is compiled of the tests is kept, whatever the surroundings say: without it each run takes a third longer.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(READY): requirements/lock.txt pyproject.toml tools/bootstrap.py
	@$(PYTHON) tools/bootstrap.py

.PHONY: demo
demo: $(READY) ## Start everything, tell the story of one library, stop everything
	@.venv/bin/python -m demo

.PHONY: up
up: $(READY) ## The demo's services, left running in the background
	@.venv/bin/python -m demo up

.PHONY: down
down: $(READY) ## Stop what `make up` started
	@.venv/bin/python -m demo down

.PHONY: test
test: lint ## Lint and every test
	@.venv/bin/python -m pytest --numprocesses 3 --dist loadfile

.PHONY: test-unit
test-unit: $(READY) ## The tests that need no services
	@.venv/bin/python -m pytest --numprocesses auto --dist loadfile tests/unit

.PHONY: search
search: $(READY) ## Search merging and sync with random runs, many more than `make test` (EXAMPLES=20000)
	@PATTERNLOG_TEST_EXAMPLES=$(or $(EXAMPLES),20000) .venv/bin/python -m pytest --timeout 0 tests/model/test_merging.py tests/model/test_sync_convergence.py

.PHONY: lint
lint: $(READY) ## Style, types, import contracts, insecure code and secrets
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/bandit --quiet --configfile pyproject.toml --recursive .
	@.venv/bin/python -m tools.scan_secrets

.PHONY: audit
audit: $(READY) ## Known vulnerabilities of the locked dependencies; it asks the network
	@.venv/bin/pip-audit --requirement requirements/lock.txt --require-hashes --disable-pip

.PHONY: format
format: $(READY) ## Rewrite the code in the project's format
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

.PHONY: bench
bench: $(READY) ## Measure, print a table, write build/bench.json
	@.venv/bin/python -m benchmarks

.PHONY: lock
lock: $(READY) ## Lock the dependencies again (UPGRADE=--upgrade takes newer ones)
	@.venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header $(UPGRADE) \
		--extra server --extra vault --extra aws --extra devstack --extra dev pyproject.toml requirements/build.in -o requirements/lock.txt
	@! grep -n '://' requirements/lock.txt

.PHONY: clean
clean: ## Remove the environment, caches and build products
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
