# Five words a newcomer needs: audit, test, lint, docs, bench. `make audit PROJECT=../my-service` audits another project.
PYTHON ?= python3
PROJECT ?= .
BIN := .venv/bin

.PHONY: audit test lint docs bench bench-load nightly lock clean
.DEFAULT_GOAL := audit

# Everything the targets need, from the lock file; made anew when it changes.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

audit: .venv/ready
	$(BIN)/hardenctl audit $(PROJECT)

test: .venv/ready
	$(BIN)/python -m pytest -n auto --cov

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Generated pages: docs/rules, docs/schema, docs/CLI.md. `make docs CHECK=--check` fails on a diff instead of writing.
docs: .venv/ready
	$(BIN)/python -m hardenctl.cli.docs $(CHECK)

# `make bench SHARED=folder-of-labelled-data REPOS="path path" CLEAN="path path" LEAKY=path` adds those that need data of
# yours; `PEERS=folder` is where the peers' environments are, or are made.
bench: .venv/ready
	for each in startup adversarial generate rotate load; do $(BIN)/python bench/$$each.py || exit 1; done
	@if [ -n "$(SHARED)" ]; then $(BIN)/python bench/credentials.py $(SHARED) $(if $(PEERS),--peers $(PEERS)); else echo "not run: credentials (SHARED)"; fi
	@if [ -n "$(LEAKY)" ]; then $(BIN)/python bench/leaky_repo.py $(LEAKY) $(if $(PEERS),--peers $(PEERS)); else echo "not run: leaky_repo (LEAKY)"; fi
	@if [ -n "$(CLEAN)" ]; then $(BIN)/python bench/clean.py $(CLEAN); else echo "not run: clean (CLEAN)"; fi
	@if [ -n "$(REPOS)" ]; then $(BIN)/python bench/history.py $(if $(PEERS),--peers $(PEERS)) $(REPOS); else echo "not run: history (REPOS)"; fi

# The scenarios at full scale against examples/meds, 25 minutes and more. `make bench-load RUNS="held normal"` is shorter.
bench-load: .venv/ready
	$(BIN)/python bench/load_meds.py $(RUNS)

# What takes longer than CI may: the whole suite on every supported Python found.
nightly: .venv/ready
	bash .ci/nightly

# uv resolves for all supported Pythons and platforms at once.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra all --group dev --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --no-annotate --no-strip-extras --quiet -o requirements.lock

clean:
	rm -rf .venv build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
