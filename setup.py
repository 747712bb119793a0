"""What pyproject.toml cannot say: folders beside the package that an installation holds inside it (``mfverify/bundled.py`` finds them)."""

from setuptools import find_packages, setup

BESIDE = ("docs/mathematics", "examples", "proofs_checks", "reports", "reports/certificates")
PACKAGES = {f"mfverify.{name.replace('/', '.')}": name for name in BESIDE}

setup(
    packages=[*find_packages(include=["mfverify", "mfverify.*"]), *PACKAGES],
    package_dir=PACKAGES,
)
