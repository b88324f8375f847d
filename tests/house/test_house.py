"""The house rules that no other tool checks."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from datacube import __version__

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("datacube", "services")
    for path in (REPOSITORY / folder).rglob("*.py")
    if "node_modules" not in path.parts
)
LONGEST_FILE = 400  # lines

# An absolute path of somebody's machine, or a neighbour of the repository.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:work|root|home|Users|mnt)/\w|\.\./shared\b")


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_import_contracts_hold():
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.fail("lint-imports is missing: pip install --group lint, or make lint")
    run = subprocess.run(
        [program, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_relative_imports():
    relative = [
        f"{name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_every_folder_with_modules_is_a_package():
    bare = {name(path.parent) for path in SOURCES if not (path.parent / "__init__.py").exists()}
    assert bare == set()


def test_every_module_says_what_it_is_for():
    silent = [
        name(path)
        for path in SOURCES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_files_are_short():
    long = {
        name(path): count
        for path in SOURCES
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_no_path_of_one_machine():
    found = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_changelog_begins_with_this_version():
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d[^\]]*)\]", changelog, flags=re.MULTILINE)
    assert versions[:1] == [__version__]


def test_readme_names_no_other_version():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"datacube-server[ =~v-]+(\d+\.\d+\.\d+)", readme))
    assert named <= {__version__}


def test_version_is_written_once():
    written = [
        name(path)
        for path in SOURCES
        if re.search(rf"[\"']{re.escape(__version__)}[\"']", path.read_text(encoding="utf-8"))
    ]
    assert written == ["datacube/__init__.py"]
