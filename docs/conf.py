"""How the documentation is built: ``make docs``. Warnings are errors; notebooks are executed, and mathematics loads nothing.

Notebooks are executed before the pages are read, as many at a time as there are cores. An executed notebook is kept until its code or
anything of mfverify changes: the cache is named after a digest of both the sources
of the package and the versions of what it computes with. ``-D nb_execution_mode=off`` builds the pages without outputs.
"""

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
from docutils import nodes
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.writers.html5 import HTML5Translator
from sphinx.writers.latex import LaTeXTranslator

from mfverify.report.mathematics import typeset

HERE = Path(__file__).parent


def digest_of_the_package() -> str:
    """Changes with every line of the package and with the libraries whose numbers and pictures a page shows."""
    seen = hashlib.sha256()
    for source in sorted((HERE.parent / "mfverify").rglob("*.py")):
        seen.update(source.read_bytes())
    for library in ("numpy", "scipy", "numba", "matplotlib", "python-flint"):
        seen.update(metadata.version(library).encode())
    return seen.hexdigest()[:16]


project = "mfverify"
author = "the mfverify authors"
sys.path.insert(0, str(HERE))
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "statements"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / f".executed-{digest_of_the_package()}")
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_render_markdown_format = "myst"
nb_output_stderr = "warn"
html_theme = "furo"
html_title = "mfverify"
html_math_renderer = "mathml"
html_static_path: list[str] = []
PREAMBLE = r"""
\usepackage{adjustbox}
\usepackage{ragged2e}
\AtBeginDocument{\RaggedRight}
\DeclareUnicodeCharacter{200B}{\hskip0pt\relax}
"""
latex_documents = [("mathematics/index", "mathematics.tex", "mfverify: the mathematics", author, "howto")]
latex_elements = {"papersize": "a4paper", "pointsize": "10pt", "preamble": PREAMBLE}
exclude_patterns = ["_build", "conf.py", "statements.py"]
napoleon_google_docstring = False
autodoc_typehints = "signature"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
add_module_names = False


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(str(typeset(f"${node.astext()}$", "documentation")))
    raise nodes.SkipNode


def _display(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math" style="overflow-y: hidden">{typeset(f"$${node.astext()}$$", "documentation")}</div>')
    raise nodes.SkipNode


def _fitted(translator: LaTeXTranslator, node: nodes.math_block) -> None:
    """A displayed formula on paper: a long one is made as small as the line is wide."""
    translator.body.append(
        "\n\n\\begin{adjustbox}{max width=\\linewidth,center}$\\displaystyle " + " ".join(node.astext().split()) + "$\\end{adjustbox}\n\n"
    )
    raise nodes.SkipNode


def execute_side_by_side(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
    """Execute the notebooks that the cache lacks; myst-nb, which executes one after the other, then finds them. It reports what fails."""
    if app.config.nb_execution_mode != "cache":
        return
    cache = get_cache(app.config.nb_execution_cache_path)

    def lacks(notebook: Any) -> bool:
        try:
            return not cache.match_cache_notebook(notebook)
        except KeyError:
            return True

    def run(notebook: Any) -> Any:
        with TemporaryDirectory() as folder:
            return single_nb_execution(notebook, folder, nb_execution_timeout, allow_errors=False)

    read = ((path, jupytext.read(path, fmt="py:percent")) for path in map(Path, map(env.doc2path, pages)) if path.suffix == ".py")
    missing = {path: notebook for path, notebook in read if lacks(notebook)}
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        for (path, notebook), result in zip(missing.items(), cores.map(run, missing.values()), strict=True):
            if result.err is None:
                bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app: Sphinx) -> None:
    """Mathematics as in the report: MathML, translated while building, so that a page needs no script from elsewhere."""
    app.connect("env-before-read-docs", execute_side_by_side)
    app.add_node(nodes.math_block, override=True, latex=(_fitted, None))
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_display, None))
