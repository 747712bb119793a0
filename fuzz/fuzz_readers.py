"""Coverage-guided fuzzing of the readers of untrusted input: ``make fuzz``, or ``python fuzz/fuzz_readers.py READER SECONDS``.

Any exception of a reader, other than an error that a user sees in one line, stops the run; atheris then writes the input beside this file. Add it to
``tests/corpus/READER`` once it is understood, so that the tests read it from then on.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

with atheris.instrument_imports(include=["mfverify.model", "mfverify.model_files", "mfverify.authors_config", "mfverify.json_files",
                                         "mfverify.checker", "mfverify.certificate", "mfverify.results", "mfverify.report.document", "tomllib",
                                         "json"]):  # fmt: skip
    from tests.hostile.readers import CORPUS, READERS


def main() -> None:
    """Fuzz one reader for some seconds, from its corpus; what is found interesting goes to a temporary folder."""
    name, seconds = sys.argv[1], int(sys.argv[2])
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as found:
        atheris.Setup(
            [sys.argv[0], f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=3000", "-max_len=20000", "-print_final_stats=1",
             f"-artifact_prefix={PROJECT / 'fuzz'}/{name}-", found, str(CORPUS / name)],
            lambda content: reader(content) and None,
        )  # fmt: skip
        atheris.Fuzz()


if __name__ == "__main__":
    main()
