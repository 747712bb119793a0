"""The documentation: it is built without a warning, and its commands and its Python do what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.shown import blocks, check_python, check_sessions, sessions
from tests.architecture.sources import PROJECT

DOCS = PROJECT / "docs"
PAGES = {str(path.relative_to(DOCS)): path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts}


def build(source: Path, target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build the pages as ``make docs`` does."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", *options, str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)


@pytest.mark.slow
def test_the_pages_are_built_without_a_warning(tmp_path: Path) -> None:
    built = build(DOCS, tmp_path / "out", "-D", "nb_execution_mode=off")  # tests/test_notebooks.py executes them
    assert (built.returncode, built.stderr) == (0, "")
    reference = (tmp_path / "out" / "reference" / "python.html").read_text(encoding="utf-8")
    for name in ("optimal_value", "fixed point", "Enclosure", "ModelError"):
        assert name in reference
    assert "copybutton.js" in reference
    gallery = (tmp_path / "out" / "gallery.html").read_text(encoding="utf-8")
    notebooks = [path.stem for path in (PROJECT / "notebooks").glob("*.py")]
    assert notebooks
    for notebook in notebooks:
        assert f'href="notebooks/{notebook}.html"' in gallery
        assert (tmp_path / "out" / "notebooks" / f"{notebook}.html").exists()


@pytest.mark.slow
def test_statements_and_proofs_become_one_latex_document(tmp_path: Path) -> None:
    pages, made = tmp_path / "pages", tmp_path / "made"
    shutil.copytree(DOCS / "mathematics", pages / "mathematics")
    for name in ("conf.py", "statements.py", "explanation/mean-field-limit.md"):  # the one page that the proofs refer to
        (pages / name).parent.mkdir(exist_ok=True)
        shutil.copy(DOCS / name, pages / name)
    (pages / "index.md").write_text("# Title\n\n```{toctree}\nmathematics/index\nexplanation/mean-field-limit\n```\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "latex", str(pages), str(made)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert (built.returncode, built.stderr) == (0, "")
    text = (made / "mathematics.tex").read_text(encoding="utf-8")
    for words in ("R4. A gap bound with a shared draw", "Hoeffding’s lemma", "All statements"):
        assert words in text


def test_make_paper_says_what_to_install() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    ran = subprocess.run(["make", "paper", "TEST_STAMP=", "PATH=/nonexistent"], capture_output=True, text=True, check=False, cwd=PROJECT)
    assert ran.returncode != 0
    assert "make paper needs latexmk and pdflatex; on Debian: apt-get install" in ran.stderr


NOTEBOOK = """# %% [markdown]
# # A picture of $\\sqrt{{k}}$
# %%
import matplotlib.pyplot as plt
print(6 * 7)
{last}
plt.plot([1, 2])
plt.show()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("last", "built"), [("1", True), ("1 / 0", False)])
def test_a_notebook_is_shown_with_what_it_prints_and_draws(last: str, built: bool, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("conf.py", "statements.py"):
        (pages / name).write_text((DOCS / name).read_text(encoding="utf-8"), encoding="utf-8")
    (pages / "index.md").write_text("# Title\n\n```{toctree}\nnotebook\n```\n")
    (pages / "notebook.py").write_text(NOTEBOOK.format(last=last))
    ran = build(pages, tmp_path / "out")
    assert (ran.returncode == 0) is built, ran.stderr
    if built:
        page = (tmp_path / "out" / "notebook.html").read_text(encoding="utf-8")
        assert "<msqrt>" in page and "<img" in page and ">42" in page
        assert "cdn." not in page


@pytest.mark.slow
def test_a_warning_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text('extensions = ["myst_parser"]\n')
    (tmp_path / "index.md").write_text("# Title\n\n[nowhere](nowhere.md)\n")
    assert build(tmp_path, tmp_path / "out").returncode != 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if sessions(page)])
def test_every_command_of_a_page_prints_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "reports").symlink_to(PROJECT / "reports")
    for model in blocks(PAGES[name], "toml"):
        (tmp_path / f"{tomllib.loads(model)['name']}.toml").write_text(model)
    for named, text in re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", PAGES[name], re.M | re.S):
        (tmp_path / named).write_text(text)
    assert check_sessions(PAGES[name], capsys) > 0


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if ">>> " in page])
def test_the_python_of_a_page_runs(name: str) -> None:
    assert check_python(PAGES[name], name) > 0


def test_some_pages_are_run() -> None:
    assert {"tutorial.md", "how-to/my-model.md"} <= {name for name, page in PAGES.items() if sessions(page) and ">>> " in page}
