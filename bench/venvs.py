"""The peers' environments: one for each, made from PyPI; Debian's packages are only looked for."""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.scale import HOME

PACKAGES = {
    "titiler": ("titiler.core>=2", "uvicorn"),
    "titiler-xarray": ("titiler.xarray[full]>=2", "rio-tiler>=9", "zarr>=3", "uvicorn"),
    "xpublish-tiles": ("xpublish-tiles>=0.12", "xpublish", "zarr>=3", "uvicorn"),
    "xpublish-wms": (
        "xpublish-wms>=0.13",
        "xpublish-edr>=0.11",
        "xpublish",
        "zarr>=3",
        "netcdf4",
        "rioxarray",
        "uvicorn",
    ),
    "pygeoapi": (
        "pygeoapi>=0.24,<0.25",
        "gunicorn",
        "xarray",
        "zarr>=3",
        "netcdf4",
        "rasterio",
        "fsspec",
    ),
}
MAPSERV = Path("/usr/lib/cgi-bin/mapserv")


def make_all() -> dict[str, str]:
    """Make what is absent; name of each environment that could not be made -> why."""
    failures = {}
    for name, packages in PACKAGES.items():
        folder = HOME / "venvs" / name
        stamp = folder / ".made"
        if stamp.exists() and stamp.read_text() == " ".join(packages):
            continue
        print(f"  {name}", flush=True)
        python = folder / "bin" / "python"
        try:
            if not python.exists():
                _run(sys.executable, "-m", "venv", str(folder))
            _run(
                str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages
            )
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().splitlines()[-1:] or ["no words"]
            failures[name] = f"not installed: {last[0][:200]}"
        else:
            stamp.write_text(" ".join(packages))
    return failures


def mapserver_lacks() -> str:
    """What of MapServer and nginx is missing, empty where nothing is."""
    lacking = []
    if not MAPSERV.exists():
        lacking.append("cgi-mapserver")
    if nginx() is None:
        lacking.append("nginx-light")
    return f"apt-get install {' '.join(lacking)}" if lacking else ""


def nginx() -> str | None:
    """The nginx program."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
