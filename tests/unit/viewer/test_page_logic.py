"""The page's own tests: its logic without a browser, and what the build has made of it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
STATIC = REPOSITORY / "services" / "viewer" / "static"
WEB = REPOSITORY / "services" / "viewer" / "web"


@pytest.mark.parametrize("script", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_logic(script: Path):
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is missing: `make viewer` brings it, `make test` finds it")
    run = subprocess.run(
        [node, "--test", str(script)], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_built_page_loads_nothing_from_elsewhere():
    """Every address in the page is relative: any prefix works, and no other host is asked."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    addresses = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert addresses
    for address in addresses:
        assert address.startswith("./"), address
        assert (STATIC / address).is_file(), address


def test_the_lock_names_no_registry():
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
