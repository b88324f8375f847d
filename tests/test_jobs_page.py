"""The script of docs/jobs.md, against a server of two processes over the demo store."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from tests.demo import demo_store
from tests.servers import start_server

PAGE = (Path(__file__).parent.parent / "docs/jobs.md").read_text(encoding="utf-8")
SCRIPT = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]
HOME = "http://127.0.0.1:8000"


@pytest.mark.slow
def test_the_script(tmp_path):
    config = tmp_path / "server.yaml"
    config.write_text(f"jobs: {{folder: {tmp_path}/jobs}}\nworkers: 2\n")
    server = start_server(demo_store(), tmp_path / "server", "--config", str(config))
    try:
        script = SCRIPT.replace(HOME, server.url)
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "europe.nc", engine="netcdf4") as part:
        assert 200 < float(part.t.mean()) < 300  # kelvin
        assert float(part.lat.max()) <= 65.2
