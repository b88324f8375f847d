"""Runs QGIS without a window: that of the system, or of a tree of another Debian."""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("qgis_layer.py")
TREE = Path(os.environ.get("DATACUBE_TRIXIE", ".trixie")).absolute()
"""Where ``make clients`` has put QGIS 3.40."""


@dataclass(frozen=True)
class Qgis:
    """A QGIS in a home of its own.

    Parameters
    ----------
    command : what runs its Python
    environment : variables of it
    """

    command: Sequence[str | Path]
    environment: dict[str, str]

    def run(self, **job: Any) -> tuple[dict[str, Any], list[bytes]]:
        """The outcome of a job of :mod:`tests.clients.qgis_layer`, and its pictures."""
        done = subprocess.run(
            [*self.command, "-c", SCRIPT.read_text(encoding="utf-8")],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            env={"QT_QPA_PLATFORM": "offscreen", **self.environment},
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outcome = json.loads(done.stdout)
        assert outcome["valid"], outcome
        return outcome, [base64.b64decode(one) for one in outcome["pictures"]]


def of_the_system(folder: Path) -> Qgis:
    """That of the system's own packages.

    Parameters
    ----------
    folder : Path, empty
    """
    home, runtime = folder / "home", folder / "runtime"
    home.mkdir()
    runtime.mkdir(mode=0o700)
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    places = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    return Qgis(("/usr/bin/python3",), inherited | places)


def of_the_tree(name: str) -> Qgis:
    """That of :data:`TREE`, whose packages are unpacked and not configured.

    Parameters
    ----------
    name : of its home
    """
    libraries = [f"/usr/lib/x86_64-linux-gnu/{one}" for one in ("blas", "lapack")]
    home = f"/root/{name}"
    (TREE / home.strip("/")).mkdir(parents=True, exist_ok=True)
    (TREE / home.strip("/")).chmod(0o700)
    places = {"HOME": home, "XDG_RUNTIME_DIR": home, "LD_LIBRARY_PATH": ":".join(libraries)}
    return Qgis(("/usr/sbin/chroot", TREE, "/usr/bin/python3"), places | {"PATH": "/usr/bin"})
