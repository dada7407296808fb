# Everything works with python3 (3.11 or later, with venv) and a package index that pip reaches.
PYTHON ?= python3
VENV ?= .venv
STUDY ?= open-conus
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test slow mirror browser qgis kills faults upstream package bench audit lint format setup clean help map-assets

run: setup  ## run the default study from sources to maps
	$(BIN)/gridstead run $(STUDY) $(ARGS)

test: setup  ## fast tests
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

slow: setup  ## whole runs, killed runs and long comparisons
	$(BIN)/python -m pytest -n auto --dist loadfile -m slow $(ARGS)

mirror: setup  ## tests against the real data in ../shared/mirror (skipped with a reason without it)
	$(BIN)/python -m pytest -n auto --dist loadfile -m mirror $(ARGS)

browser: setup  ## the map page in a real Chromium (skipped with a reason without one)
	$(BIN)/python -m pytest -m browser $(ARGS)

qgis: setup  ## files opened in a real QGIS (skipped with a reason without one)
	$(BIN)/python -m pytest -m qgis $(ARGS)

kills: setup  ## runs that are killed at every step, and what they leave
	$(BIN)/python -m pytest -s -m kills tests/kills $(ARGS)

faults: setup  ## every fault of every kind of source, and how a run ends with it
	$(BIN)/python -m tests.faults $(ARGS)

upstream: setup  ## serve a small study's sources on this machine, well or with a fault (ARGS=--help)
	$(BIN)/python -m tests.upstream $(ARGS)

package: setup  ## tests that download the package sources
	$(BIN)/python -m pytest -m package $(ARGS)

bench: setup  ## measure; results in benchmarks/RESULTS.md
	$(BIN)/python benchmarks/pipeline.py
	$(BIN)/python benchmarks/incremental.py
	$(BIN)/python benchmarks/nochange.py
	$(BIN)/python benchmarks/cluster.py --parcels 5000000 20000000
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/power.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/parcels.py
	$(BIN)/python benchmarks/confidence.py
	$(BIN)/python benchmarks/assess.py
	$(BIN)/python benchmarks/portfolio.py
	$(BIN)/python benchmarks/exports.py
	$(BIN)/python benchmarks/page.py

map-assets:  ## fetch the libraries of the map page anew, as pinned (needs npm)
	$(PYTHON) geo/export/page/fetch_vendor.py

audit: setup  ## requirements: known vulnerabilities, pins, hashes, what is installed
	$(BIN)/python -m tests.audit

lint: setup  ## ruff, ty and the SQL lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check
	$(BIN)/sqlfluff lint sql

format: setup  ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(STAMP)  ## make the virtual environment from the lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gridstead needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

lock:  ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --quiet -o requirements.lock

clean:  ## remove the environment; var/ stays
	rm -rf $(VENV)

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /: /'
