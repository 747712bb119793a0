"""What pyproject.toml cannot say: folders beside the package that an installation holds inside it (``mfverify/bundled.py`` finds them)."""

from setuptools import find_packages, setup

BESIDE = ("examples", "proofs_checks", "reports")

setup(
    packages=[*find_packages(include=["mfverify", "mfverify.*"]), *(f"mfverify.{name}" for name in BESIDE)],
    package_dir={f"mfverify.{name}": name for name in BESIDE},
)
