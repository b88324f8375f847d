"""``python -m tests.memory.large``: a GeoTIFF of 20 GB through a real server, by hand.

The cube is sparse, so that it fits any disk; the file is whole, and thrown away as it comes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.memory.measure import BOUND, CACHE, measured
from tests.memory.worlds import sparse_cube
from tests.servers import start_server


def main() -> int:
    """Make the cube, ask for all of it, print what that took; 0 within the bound."""
    parser = argparse.ArgumentParser(prog="tests.memory.large", description=__doc__)
    parser.add_argument("--side", type=int, default=100_100, help="rows and columns of int16")
    side = parser.parse_args().side
    with tempfile.TemporaryDirectory(prefix="large-") as name:
        folder = Path(name)
        sparse_cube(folder / "store", "sparse", side, side)
        config = folder / "server.yaml"
        config.write_text(f"limits: {{cache_bytes: {CACHE} MiB}}\n")
        server = start_server(
            folder / "store", folder / "log", "--config", str(config), "--workers", "1"
        )
        try:
            found = measured(
                f"{server.url}/wcs", server.process.pid, service="WCS", version="2.0.1",
                request="GetCoverage", coverageId="sparse", format="image/tiff",
            )  # fmt: skip
        finally:
            server.stop()
    print(f"status {found.status}: {found}")  # noqa: T201
    whole = found.nbytes == int(found.headers["content-length"]) > 2 * side * side
    return 0 if whole and found.growth <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
