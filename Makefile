# make report, make test: everything from a clean clone, in a virtual environment of the project's own.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed

.PHONY: help report test lint docs bench coverage mutants fuzz clean
help:
	@echo "make report   verify the catalogue on the bundled models; leaves reports/latest/report.html and report.json"
	@echo "make test     linters, types, all tests, theorem checks and notebooks"
	@echo "make docs     the documentation in docs/_build, warnings are errors"
	@echo "make bench    side by side with real solvers, in .venv-bench; leaves docs/benchmarks/ (AUTHORS=path: a clone of the authors' code)"
	@echo "make coverage lines and branches of the certified core that the tests reach, at least 95 %"
	@echo "make mutants  mutation testing of the certified core, half an hour on two cores; ONLY='mfverify/enclosure.py' for one file"
	@echo "make fuzz     the readers of files from strangers, SECONDS=60 each, guided by coverage"
	@echo "make clean    remove the virtual environment and the latest report"

$(STAMP): pyproject.toml
	@echo "setting up $(VENV) (once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $(STAMP)

report: $(STAMP)
	@echo "verifying the claim catalogue on the bundled models (quick profile)"
	$(BIN)/mfverify verify --profile quick --out reports/latest

lint: $(STAMP)
	$(BIN)/ruff check mfverify tests proofs_checks notebooks benchmarks examples docs fuzz mutation
	$(BIN)/mypy

# The tests of the certified core come first and by themselves: only they are slowed down by the measurement of their coverage.
CORE := tests/test_enclosure.py tests/test_counts.py tests/bounds tests/agreement
test: lint coverage
	$(BIN)/python -m pytest tests proofs_checks $(CORE:%=--ignore=%) -n auto --dist loadfile
	@echo "no check failed; what could not be tested here, if anything, is said above"

docs: $(STAMP)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "the documentation is docs/_build/html/index.html"

# The peers bring much with them; they have a virtual environment of their own.
$(BENCH_STAMP): pyproject.toml
	@echo "setting up $(BENCH) (once)"
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $(BENCH_STAMP)

bench: $(BENCH_STAMP)
	$(BENCH)/bin/python -m benchmarks $(if $(AUTHORS),--authors $(AUTHORS))

coverage: $(STAMP)
	$(BIN)/python -m pytest $(CORE) -n auto --dist loadfile --cov

ONLY ?=
mutants: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[mutants]'
	$(BIN)/python -m mutation $(ONLY)

SECONDS ?= 60
fuzz: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	for reader in model_json model_toml config certificate loaded_certificate report store stored_row; do $(BIN)/python fuzz/fuzz_readers.py $$reader $(SECONDS) || exit 1; done

clean:
	rm -rf $(VENV) $(BENCH) reports/latest docs/_build mutants.json
