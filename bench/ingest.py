"""``make bench-ingest``: how fast sources become cubes, and in how much memory.

Beside ``datacube ingest`` stand the plain speed of compressing and writing from memory, once the
samples alone (``plain``) and once every array that ingest writes (``all``: the samples and their
overviews, which are ready before the clock starts), ``all`` with what it wrote on the disk before
the clock stops (``durable``, synced as ingest syncs), so with the samples read from the file
(``read``) and ``all`` on one thread (``one``), and xarray's ``to_zarr`` of the same file. The ways
take turns; the quickest round counts. The shares are given twice: by the clock, and by the
processor, which other work disturbs less. Ingest does more than any of them: it decodes the file,
makes overviews and statistics, checksums the source and every chunk, and returns when all of it
would survive a power cut. All speeds are of the samples, without the overviews.

What a round has written is emptied at once, and its names are removed at the very end: ext4 passes
over every file that was removed in the last minutes whenever it makes a new one, which doubles the
system's time in all ways.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from bench.ingest_data import CASES, FOLDER, Case, make

WAYS = ("ours", "plain", "all", "durable", "read", "one", "xarray")
OTHERS = WAYS[1:]
MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Measured:
    """The quickest rounds of one way.

    Parameters
    ----------
    seconds, processor : float
    peak, stored : int, bytes
    """

    seconds: float
    processor: float
    peak: int
    stored: int


def main() -> int:
    """Make what is absent, measure, print the table."""
    options = _options()
    chosen = [one for one in CASES if not options.only or one.name in options.only.split(",")]
    print(f"Sources ({os.cpu_count()} cores)", flush=True)
    for case in chosen:
        make(case)
    print(HEAD, flush=True)
    try:
        for case in chosen:
            for line in _rows(case, measure(case, options.rounds)):
                print(line, flush=True)
    finally:
        for one in FOLDER.glob("out-*"):
            shutil.rmtree(one)
    return 0


def measure(case: Case, rounds: int) -> dict[str, Measured]:
    """The ways in turn."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            command = [sys.executable, "-m", "bench.ingest_work", way, case.name]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            found[way].append(json.loads(done.stdout))
    return {way: _best(runs) for way, runs in found.items()}


def _best(runs: list[dict[str, float]]) -> Measured:
    return Measured(
        min(one["seconds"] for one in runs),
        min(one["processor"] for one in runs),
        int(max(one["peak"] for one in runs)),
        int(runs[0]["stored"]),
    )


SHARES = "".join(f"{f'of {one}':>11}" for one in OTHERS)
HEAD = f"{'':10}{'MB/s':>8}{SHARES}{'cpu s':>8}{'MB/cpu s':>10}{SHARES}{'peak MB':>9}"


def _rows(case: Case, found: dict[str, Measured]) -> list[str]:
    raw = case.bytes / MEGA
    lines = [f"{case.name}: {case.words}; {raw:.0f} MB of samples"]
    ours = found["ours"]
    for way, one in found.items():
        others = [found[other] for other in OTHERS] if way == "ours" else []
        clock = "".join(f"{other.seconds / ours.seconds:11.2f}" for other in others)
        work = "".join(f"{other.processor / ours.processor:11.2f}" for other in others)
        blank = " " * (11 * len(OTHERS))
        lines.append(
            f"  {way:8}{raw / one.seconds:8.0f}{clock or blank}{one.processor:8.1f}"
            f"{raw / one.processor:10.0f}{work or blank}{one.peak / MEGA:9.0f}"
        )
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.ingest", description=__doc__)
    parser.add_argument("--only", default="", help="year, scene, grib; separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
