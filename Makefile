# What a developer types. `make help` lists the targets.
#
#   PYTHON=…            the interpreter to build for (default: the newest suitable one found)
#   VENV=…              the virtual environment, made when missing (default: .venv)
#   PYTEST_ARGS=…       handed to pytest, as in PYTEST_ARGS='-k timers -x'
#   TEST_JOBS=…         how many processes share the Python tests; 0 for pytest's own, as a debugger needs
#   CONFORMANCE_ARGS=…  handed to the run of CPython's tests, as in CONFORMANCE_ARGS='--module test_tasks'
#   DEMO_ARGS=…         handed to the demonstration
#   ROWS=…              the rows to measure, as in ROWS='echo/* sleep0' (default: all)
#   BENCH_ARGS=…        handed to the benchmark, as in BENCH_ARGS='--rounds 3 --loops uvloop,groundup'

PYTHON ?=
VENV ?= .venv
PYTEST_ARGS ?=
TEST_JOBS ?= 4
CONFORMANCE_ARGS ?=
DEMO_ARGS ?=
ROWS ?=
BENCH_ARGS ?=

SHELL := bash
.SHELLFLAGS := -Eeuo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

venv := $(abspath $(VENV))
python := $(venv)/bin/python
target := $(abspath $(or $(CARGO_TARGET_DIR),target))

# Cargo and maturin must build for the environment's interpreter, whatever `python3` may be.
export VIRTUAL_ENV := $(venv)
export PYO3_PYTHON := $(python)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

extension_sources := Cargo.toml Cargo.lock pyproject.toml \
  $(shell find crates -name Cargo.toml -o -path '*/src/*' -name '*.rs')

# What the benchmarks put on servers; the tests see that all rows run, and need it too.
load := $(target)/release/groundup-load
load_manifest := benchmarks/load/Cargo.toml
load_sources := benchmarks/load/Cargo.lock \
  $(shell find benchmarks/load crates/groundup -name Cargo.toml -o -path '*/src/*' -name '*.rs')

##@ Everyday

.PHONY: demo
demo: $(venv)/.release ## download thousands of real files at once, and prove every byte
	$(python) examples/demo.py $(DEMO_ARGS)

.PHONY: test
test: test-rust test-python ## run all Rust and Python tests

.PHONY: check
check: check-rust check-python ## formatting, lints with warnings denied, types, stubs, documentation

.PHONY: bench
bench: $(venv)/.release $(venv)/.bench $(load) ## every loop there is, side by side, on PYTHON; ROWS for some rows
	$(python) -m benchmarks --load "$(load)" $(BENCH_ARGS) $(foreach row,$(ROWS),'$(row)')

.PHONY: page
page: page/node_modules ## build the page that groundup view writes; needs Node
	npm --prefix page run build

.PHONY: pictures
pictures: page/node_modules $(venv)/.quick ## take the pictures of docs/see-the-weave.md anew; needs Chromium
	PYTHON="$(python)" npm --prefix page run pictures

.PHONY: docs
docs: ## build the crate's reference
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --package groundup --no-deps
	@echo "See $(target)/doc/groundup/index.html"

.PHONY: build
build: $(venv)/.release ## build the extension with full optimisation, installed in VENV

.PHONY: clean
clean: ## remove what the other targets made
	cargo clean
	rm -rf page/node_modules page/screenshots
	rm -rf dist .pytest_cache .mypy_cache .ruff_cache .hypothesis python/groundup/_groundup.*.so
	find python tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
	for venv in $(venv) .venv .venv-*; do if [ -e "$$venv/.made" ]; then rm -rf "$$venv"; fi; done

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@sed -n 's/^#   \([A-Z_]*=.*\)/  \1/p' Makefile | (echo; echo Settings; cat)

##@ In parts

.PHONY: test-rust
test-rust: ## the crate's tests, its documentation's examples, and loom
	if cargo nextest --version >/dev/null 2>&1; then \
	  cargo nextest run --locked --package groundup; \
	  cargo test --locked --package groundup --doc; \
	else \
	  cargo test --locked --package groundup; \
	fi
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR="$(target)/loom" \
	  cargo test --locked --package groundup --release --test loom

.PHONY: test-python
test-python: $(venv)/.quick $(load) ## the Python tests, on PYTHON
	$(python) -m pytest --numprocesses $(TEST_JOBS) --dist loadfile $(PYTEST_ARGS)

.PHONY: test-page
test-page: page/node_modules $(venv)/.quick ## the page: style, types, tests, in Chromium too; and that it is as built
	npm --prefix page run check
	npm --prefix page run test:unit
	npm --prefix page run current
	PYTHON="$(python)" npm --prefix page run test:browser

.PHONY: conformance
conformance: $(venv)/.quick ## CPython's own tests of asyncio on this loop, on PYTHON
	$(python) -m tests.cpython $(CONFORMANCE_ARGS)

.PHONY: check-rust
check-rust: $(venv)/.made docs
	cargo fmt --all --check
	cargo fmt --manifest-path $(load_manifest) --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked --manifest-path $(load_manifest) --target-dir "$(target)" -- -D warnings

.PHONY: check-python
check-python: $(venv)/.quick
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	$(python) -m mypy --python-version 3.11
	$(python) -m mypy.stubtest groundup --mypy-config-file pyproject.toml

.PHONY: format
format: $(venv)/.installed ## format all sources in place
	cargo fmt --all
	cargo fmt --manifest-path $(load_manifest)
	$(python) -m ruff check --fix-only
	$(python) -m ruff format

.PHONY: miri
miri: ## run the crate's tests under miri, where a nightly toolchain has it
	if ! RUSTUP_AUTO_INSTALL=0 cargo +nightly miri --version >/dev/null 2>&1; then \
	  echo "miri: not run, there is no nightly toolchain with miri here" >&2; \
	  echo "(rustup toolchain install nightly --component miri,rust-src)" >&2; \
	  exit 1; \
	fi
	CARGO_TARGET_DIR="$(target)/miri" cargo +nightly miri test --locked --package groundup --tests

.PHONY: lock
lock: $(venv)/.made ## pin requirements/*.in in *.txt (LOCK_ARGS=--upgrade: newest versions)
	$(python) -m pip install --quiet uv==0.13.9
	for name in dev bench; do \
	  $(venv)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    $(LOCK_ARGS) --output-file requirements/$$name.txt requirements/$$name.in; \
	done

# The environment grows in steps, each with a stamp that is touched when the step was done.
# The first is always looked at, since PYTHON may have changed; its stamp is touched only if it had.

.PHONY: always
always:

$(venv)/.made: always
	@scripts/make-venv "$(venv)" "$(PYTHON)"

$(venv)/.installed: $(venv)/.made requirements/dev.txt
	$(python) -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

$(venv)/.bench: $(venv)/.installed requirements/bench.txt
	$(python) -m pip install --quiet --require-hashes --requirement requirements/bench.txt
	@touch $@

# The extension stands beside the Python sources, so building it one way undoes the other.
$(venv)/.quick: $(venv)/.installed $(extension_sources)
	$(python) -m maturin develop --locked --profile quick
	@rm -f $(venv)/.release; touch $@

$(venv)/.release: $(venv)/.installed $(extension_sources)
	$(python) -m maturin develop --locked --release
	@rm -f $(venv)/.quick; touch $@

page/node_modules: page/package.json page/package-lock.json
	npm --prefix page ci --no-audit --no-fund
	@touch $@

$(load): $(load_sources)
	cargo build --locked --release --manifest-path $(load_manifest) --target-dir "$(target)"
	@touch $@
