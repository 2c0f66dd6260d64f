# Each target sets up what it needs: `make demo` and `make test` work on a machine with Python 3.11+ alone.
PYTHON ?= python3
.PHONY: setup demo test check

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv && .venv/bin/pip install --quiet --constraint constraints.txt torch==2.13.0
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]' && touch $@

demo: setup
	.venv/bin/facesmith demo

test: setup
	.venv/bin/pytest

check: setup
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
	.venv/bin/lint-imports && .venv/bin/codespell README.md CHANGELOG.md CONTRIBUTING.md docs src tests benchmarks examples
