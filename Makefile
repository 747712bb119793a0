# make report, make test: everything from a clean clone, in a virtual environment of the project's own. LOCKED=1 installs the versions
# of requirements.lock instead of the newest ones.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-for-tests
FLOORS := .venv-floors
FLOORS_STAMP := $(FLOORS)/.installed
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed

.PHONY: help report test lint floors lock docs paper bench coverage mutants fuzz clean
help:
	@echo "make report   verify the catalogue on the bundled models; leaves reports/latest/report.html and report.json"
	@echo "make test     linters, types, all tests, theorem checks and notebooks"
	@echo "make floors   quick tests with the oldest versions of everything that pyproject.toml declares, in .venv-floors"
	@echo "make lock     requirements.lock, after a change of pyproject.toml; UPGRADE=1 for the newest versions"
	@echo "make docs     the documentation in docs/_build, warnings are errors"
	@echo "make paper    statements and proofs as one PDF, docs/_build/latex/mathematics.pdf; needs LaTeX"
	@echo "make bench    side by side with real solvers, in .venv-bench; leaves docs/benchmarks/ (AUTHORS=path: a clone of the authors' code)"
	@echo "make coverage lines and branches of the certified core that the tests reach, at least 95 %"
	@echo "make mutants  mutation testing of the certified core, half an hour on two cores; ONLY='mfverify/enclosure.py' for one file"
	@echo "make fuzz     the readers of untrusted input, SECONDS=60 each, guided by coverage"
	@echo "make clean    remove the virtual environment and the latest report"

# Modules are compiled when they are imported (--no-compile): most of what is installed never is, and installing takes half the time.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile
CONSTRAINTS := $(if $(LOCKED),--constraint requirements.lock)
$(STAMP): pyproject.toml setup.py
	@echo "setting up $(VENV) (once): what a report needs"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(INSTALL) $(CONSTRAINTS) -e .
	@touch $(STAMP)

$(TEST_STAMP): $(STAMP)
	@echo "setting up $(VENV) (once): what the tests need"
	$(BIN)/python $(INSTALL) $(CONSTRAINTS) -e '.[test]'
	@touch $(TEST_STAMP)

report: $(STAMP)
	@echo "verifying the claim catalogue on the bundled models (quick profile)"
	$(BIN)/mfverify verify --profile quick --out reports/latest
	@echo "to use the command mfverify in this shell: . $(BIN)/activate"

lint: $(TEST_STAMP)
	$(BIN)/ruff check mfverify tests proofs_checks notebooks benchmarks examples docs fuzz mutation
	$(BIN)/mypy

# The tests of the certified core come first, beside the linters: only they are slowed down by the measurement of their coverage. Each
# process begins with the tests of neighbouring files, which share what they compute, and takes over tests of another when it has none left.
CORE := tests/test_enclosure.py tests/test_readable.py tests/test_counts.py tests/bounds tests/agreement
test: $(TEST_STAMP)
	$(MAKE) --no-print-directory -j 2 lint coverage
	$(BIN)/python -m pytest tests proofs_checks $(CORE:%=--ignore=%) -n auto --dist worksteal
	@echo "no check failed; what could not be tested here, if anything, is said above"
	@echo "to use mfverify and pytest in this shell: . $(BIN)/activate"

# The oldest versions that pyproject.toml declares, all of them at once, on the oldest Python.
$(FLOORS_STAMP): $(TEST_STAMP)
	@echo "setting up $(FLOORS) (once): the oldest declared versions"
	$(BIN)/uv venv --quiet --clear --no-python-downloads --python 3.11 $(FLOORS)
	$(BIN)/uv pip install --quiet --python $(FLOORS) --resolution lowest-direct -e '.[test]'
	@touch $(FLOORS_STAMP)

floors: $(FLOORS_STAMP)
	$(FLOORS)/bin/python -m tests.floors

# The versions of one environment that all tests passed in; what is in the file stays as it is where it still fits (UPGRADE=1: the newest).
lock: $(TEST_STAMP)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra test --no-annotate --custom-compile-command "make lock" \
	  $(if $(UPGRADE),--upgrade) --output-file requirements.lock pyproject.toml

docs: $(TEST_STAMP)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "the documentation is docs/_build/html/index.html"

LATEX := latexmk texlive-latex-extra texlive-fonts-recommended tex-gyre
paper: $(TEST_STAMP)
	@command -v latexmk >/dev/null && command -v pdflatex >/dev/null || \
	  { echo "make paper needs latexmk and pdflatex; on Debian: apt-get install --no-install-recommends $(LATEX)" >&2; exit 1; }
	$(BIN)/python -m sphinx -q -W --keep-going -b latex -D nb_execution_mode=off docs docs/_build/latex
	cd docs/_build/latex && latexmk -silent -pdf -interaction=nonstopmode -halt-on-error mathematics.tex
	@echo "statements and proofs are docs/_build/latex/mathematics.pdf"

# The peers bring much with them; they have a virtual environment of their own.
$(BENCH_STAMP): pyproject.toml
	@echo "setting up $(BENCH) (once)"
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python $(INSTALL) -e '.[bench]'
	@touch $(BENCH_STAMP)

bench: $(BENCH_STAMP)
	$(BENCH)/bin/python -m benchmarks $(if $(AUTHORS),--authors $(AUTHORS))

coverage: $(TEST_STAMP)
	$(BIN)/python -m pytest $(CORE) -n auto --dist worksteal --cov

ONLY ?=
mutants: $(TEST_STAMP)
	$(BIN)/python $(INSTALL) -e '.[mutants]'
	$(BIN)/python -m mutation $(ONLY)

SECONDS ?= 60
fuzz: $(TEST_STAMP)
	$(BIN)/python $(INSTALL) -e '.[fuzz]'
	for reader in model_json model_toml config certificate loaded_certificate report store stored_row; do $(BIN)/python fuzz/fuzz_readers.py $$reader $(SECONDS) || exit 1; done

clean:
	rm -rf $(VENV) $(BENCH) $(FLOORS) reports/latest docs/_build mutants.json
