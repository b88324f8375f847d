"""ncdump, cdo and a checker of the CF conventions read what a server writes as NetCDF."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.netcdf

COVERAGES = ("closed", "events", "levels", "plain", "utm")
FORMATS = ("netcdf", "netcdf3")


@pytest.fixture(scope="module")
def files(live_server, tmp_path_factory) -> list[Path]:
    """Every coverage in both formats, and one with steps made one by several methods."""
    folder = tmp_path_factory.mktemp("netcdf")
    asked = {(name, form): name for name in COVERAGES for form in FORMATS}
    asked |= {("closed&AGG=mean,count,std&PERIOD=month", form): "aggregated" for form in FORMATS}
    found = []
    for (query, form), name in asked.items():
        url = f"{live_server.url}/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage"
        httpx.get(f"{url}&FORMAT={form}&COVERAGEID={query}")  # the next is made by its form
        answer = httpx.get(f"{url}&FORMAT={form}&COVERAGEID={query}")
        assert answer.status_code == 200, answer.text
        found.append(folder / f"{name}-{form}.nc")
        found[-1].write_bytes(answer.content)
    return found


def test_the_cf_checker_finds_nothing(files, tmp_path):
    report = tmp_path / "report.json"
    command = ["compliance-checker", "-t", "cf:1.11", "-f", "json_new", "-o", str(report)]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert len(found) == len(files)
    for name, results in found.items():
        checked = results["cf:1.11"]
        wrong = [
            line
            for one in (*checked["high_priorities"], *checked["medium_priorities"])
            for line in one["msgs"]
        ]
        assert wrong == [], name


def test_cdo_and_ncdump_read_them(files):
    for path in files:
        header = subprocess.run(["ncdump", "-h", path], capture_output=True, text=True, check=True)
        assert 'Conventions = "CF-1.11"' in header.stdout
        shown = subprocess.run(
            ["cdo", "-s", "infon", path], capture_output=True, text=True, check=False
        )
        assert shown.returncode == 0, f"{path.name}: {shown.stderr}"
        assert "warning" not in shown.stderr.lower(), f"{path.name}: {shown.stderr}"
