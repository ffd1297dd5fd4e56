# The commands of fhir_service. `make` alone lists them. Python 3.11 or later is all that must be there.

PYTHON ?=
ARGS ?=
VENV := .venv/bin

.PHONY: help demo test test-long check bench interop clean
.DEFAULT_GOAL := help

help:
	@echo "make demo        publish the forms, send answers, print the oncologist's summary, serve"
	@echo "                 (ARGS=--once ends after the summary)"
	@echo "make test        every test; ARGS='-k word' for some"
	@echo "make test-long   the tests that take minutes: killed processes, faults, fuzzing"
	@echo "make check       format, lint, types, import layers, file sizes"
	@echo "make bench       the benchmarks, as ratios in one run"
	@echo "make interop     tests against other people's software: a HAPI FHIR server as the EHR"
	@echo "make clean       remove .venv and everything made"

# A stamp is as new as what was installed from: nothing is done again until one of these changes.
.venv/.installed: pyproject.toml constraints.txt .ci/environment
	@PYTHON="$(PYTHON)" .ci/environment run
	@touch $@

.venv/.installed-test: pyproject.toml constraints.txt .ci/environment
	@PYTHON="$(PYTHON)" .ci/environment test
	@touch .venv/.installed $@

.cache/test-needs: .ci/test-needs
	@.ci/test-needs
	@test -s .cache/not-installed || touch $@

demo: .venv/.installed
	@$(VENV)/fhir-service demo $(ARGS)

test: .venv/.installed-test .cache/test-needs
	@.ci/pytest "not long and not bench and not interop" -n 2 --dist loadfile $(ARGS)

test-long: .venv/.installed-test .cache/test-needs
	@.ci/pytest "long and not interop" -n 2 --dist loadfile $(ARGS)

check: .venv/.installed-test
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/python -m pytest -q -m "not long" tests/architecture

bench: .venv/.installed-test .cache/test-needs
	@$(VENV)/python -m tests.benchmarks $(ARGS)

interop: .venv/.installed-test .cache/test-needs
	@.ci/interop-needs
	@.ci/pytest "interop" tests/interop $(ARGS)

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
