# Two commands set everything up: `make demo` and `make test`. They need Python >= 3.11, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

# Tests start hundreds of processes: none compiles again what another one has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all check bench lock clean
help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

$(VENV)/.runs: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lightship needs Python 3.11 or later; set PYTHON=..."; exit 2; }
	@test -x $(BIN)/python || { echo "Setting up .venv (once)..."; $(PYTHON) -m venv $(VENV); } || { echo "python3 -m venv failed: on Debian, apt install python3-venv"; exit 2; }
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.tests: requirements-dev.lock $(VENV)/.runs
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.runs   ## set up, then play the demonstration; the results are in out/
	@$(BIN)/lightship demo --out out

check: $(VENV)/.tests ## formatting, lint, types and the import rules
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

# Three workers for two cores: many tests wait for streams, servers and browsers.
test: check           ## set up, then the checks and the tests (about eleven minutes on two cores)
	@$(BIN)/pytest --doctest-modules src
	@$(BIN)/pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder --durations=20

test-all: check       ## the same with what takes longer
	@$(BIN)/pytest

bench: $(VENV)/.tests ## every claim on speed, against the peer it names; writes docs/benchmarks.md
	@$(BIN)/python -m bench

lock: $(VENV)/.tests  ## resolve the pinned requirements again (needs uv)
	uv pip compile pyproject.toml --extra exposure --extra fast --extra payments --extra service --extra sharing --extra packs --extra duties --extra casework --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra exposure --extra fast --extra payments --extra learned --extra spark --extra service --extra sharing --extra packs --extra duties --extra casework --extra misp --extra calls --group build --group dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.lock

clean:                ## remove what the targets made
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache
