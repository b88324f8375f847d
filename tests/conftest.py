"""What every test may use: the folders of real products and of schemas, and hypothesis' profiles.

``DATACUBE_TEST_DATA`` and ``DATACUBE_XSD`` name the two folders; without them they are looked
for beside the repository. Where one is absent its tests are skipped, and the run says so once,
loudly, at its end.
"""

import importlib
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent

settings.register_profile("dev", max_examples=40, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

ABSENT = "folder is absent"


def _folder(variable: str, default: str) -> Path:
    """Folder named by the environment, else the default relative to the repository."""
    return Path(os.environ.get(variable) or REPOSITORY / default).resolve()


def _folder_or_skip(variable: str, default: str, holds: str) -> Path:
    folder = _folder(variable, default)
    if not folder.is_dir():
        pytest.skip(f"{ABSENT}: {folder} should hold {holds}; name it with {variable}=FOLDER")
    return folder


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real products, with ``facts.json``."""
    return _folder_or_skip("DATACUBE_TEST_DATA", "../shared/data", "the real products")


@pytest.fixture(scope="session")
def xsd_validator() -> Callable[[bytes], list[str]]:
    """``validate(document) -> errors``: an empty list when the OGC document is schema-valid."""
    folder = _folder_or_skip("DATACUBE_XSD", "../shared/xsd", "the OGC schemas")
    check = _import_check(folder)

    def validate(document: bytes) -> list[str]:
        with warnings.catch_warnings():
            # the checker leaves closing its files to the interpreter
            warnings.simplefilter("ignore", ResourceWarning)
            valid, how, messages = check.validate(check.load(document))
        if valid is None:
            return [how]
        return [] if valid else [f"{how}: {message}" for message in messages or ["invalid"]]

    return validate


def _import_check(folder: Path) -> Any:
    """Checker that lies with the schemas; it imports its neighbour by its bare name."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("check")
    finally:
        sys.path.remove(str(folder))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once how many tests an absent folder has cost, and how to have them."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if ABSENT in reason:
            words = reason.removeprefix("Skipped: ")
            reasons[words] = reasons.get(words, 0) + 1
    for words, count in sorted(reasons.items()):
        terminalreporter.write_sep("!", f"{count} TESTS DID NOT RUN", yellow=True, bold=True)
        terminalreporter.write_line(words, yellow=True)


@pytest.fixture
def cube_factory(tmp_path: Path) -> Callable[..., Any]:
    """``cube_factory("id", **options)`` makes a cube of closed-form values in one store."""
    from tests.cubes import make_cube

    def make(cube_id: str = "closed", **options: Any) -> Any:
        return make_cube(tmp_path / "store", cube_id, **options)

    return make
