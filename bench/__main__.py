"""``python -m bench [--scale small] [--only W1,W3]``: data, peers, rounds, report."""

import argparse
import signal
import sys
from dataclasses import replace

from bench import asks, cold, cubes, ours, peer_data, peers, report, servers, slider, venvs
from bench import singles as alone
from bench.run import Bench, Row, chosen
from bench.scale import SCALES, Scale
from datacube.store.url import open_store


def main() -> int:
    """Make what is absent, measure, print and write the report."""
    options = _options()
    scale = SCALES[options.scale]
    scale = replace(
        scale,
        seconds=options.seconds or scale.seconds,
        rounds=options.rounds or scale.rounds,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"Data sets in {scale.home}: {scale.words}", flush=True)
    cubes.make_all(scale)
    alone.make_all(open_store(str(scale.home / "store")))
    peer_data.make_all(scale)
    print("Environments of the peers", flush=True)
    failures = venvs.make_all()
    found = [ours.server(scale), servers.prototype(scale), *peers.all_peers(scale, failures)]
    if wanted := [part for part in options.servers.split(",") if part]:
        found = [one for one in found if any(part in one.name for part in wanted)]
    bench = Bench(scale, [*found, servers.constant(scale)])
    results: report.Results = {}
    repeats: list[tuple[str, Row]] = []
    singles: list[alone.Single] = []
    try:
        again(bench, repeats, scale)
        bench.servers = found
        if any(one.name == report.OURS for one in found):
            singles = alone.measure(bench.url(report.OURS))
            singles += cold.measure(scale) + slider.measure(scale)
        for workload in chosen(options.only):
            results[workload.name] = bench.measure(workload)
            report.write(scale.home, scale, results, repeats, singles)
    finally:
        bench.stop()
    path = report.write(scale.home, scale, results, repeats, singles)
    print(path.read_text(encoding="utf-8"))
    print(f"Written to {path} and {path.with_suffix('.json').name}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument("--only", default="", help="workloads, separated by commas")
    parser.add_argument("--servers", default="", help="parts of the servers' names, by commas")
    parser.add_argument("--seconds", type=float, help="of a round; default: the scale's")
    parser.add_argument("--rounds", type=int, help="default: the scale's")
    return parser.parse_args()


def again(bench: Bench, repeats: list[tuple[str, Row]], scale: Scale) -> None:
    """The constant body, and where ours is measured a tile that was asked before, and its 304."""
    repeats.append(("constant body", bench.repeat(report.CONSTANT, "/")))
    own = next((one for one in bench.servers if one.name == report.OURS), None)
    if own is None:
        return
    tile = next(
        one
        for one in asks.sst_tiles(scale, 2000)
        if isinstance(one, asks.MapAsk) and one.tile and one.tile[0] == 4
    )
    path = own.paths["W1"][0](tile)
    tag = bench.get(report.OURS, path).headers.get("etag", '""')
    repeats.append(("the same tile", bench.repeat(report.OURS, path)))
    header = f"If-None-Match: {tag}\r\n"
    repeats.append(("304", bench.repeat(report.OURS, path, header, 304)))


if __name__ == "__main__":
    sys.exit(main())
