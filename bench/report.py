"""The tables: for people as Markdown, for programs as JSON."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.asks import WORKLOADS
from bench.run import Row
from bench.scale import Scale
from bench.singles import Single

OURS, PROTOTYPE, CONSTANT = "ours", "prototype", "constant 20 kB"
MEMORY = 1 << 30
STEADY = 3.0
CACHED = 0.5

type Results = dict[str, list[Row]]


def markdown(
    scale: Scale, results: Results, repeats: list[tuple[str, Row]], singles: list[Single]
) -> str:
    """The whole report."""
    lines = [
        f"# Benchmark, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        f"Scale {scale.name}: {scale.words}.",
        "",
        _machine(scale),
        "",
        _HOW,
        "",
        "## Targets",
        "",
        *_targets(results, repeats),
        "",
        "## Rows",
        "",
    ]
    for name, rows in results.items():
        lines += [f"### {name}: {WORKLOADS[name].words}", "", *_rows(rows), ""]
    if repeats:
        lines += ["### The same request again and again", "", *_repeats(repeats), ""]
    if singles:
        lines += ["### One question after the other, one connection", "", *_singles(singles), ""]
    return "\n".join(lines)


_HOW = (
    "Every server runs two processes. `agrees` is the share of pixels "
    "or values that equal the data (a correlation where colours are free), looked at before the "
    "rounds."
)


def _machine(scale: Scale) -> str:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load "
        f"{load} at the end; 8 connections on the loopback, medians of {scale.rounds} interleaved "
        f"rounds of {scale.seconds:g} s, no question asked twice; warm OS cache."
    )


def document(
    scale: Scale, results: Results, repeats: list[tuple[str, Row]], singles: list[Single]
) -> dict[str, Any]:
    """The same for programs."""
    return {
        "scale": scale.name,
        "sizes": scale.words,
        "made": datetime.now(UTC).isoformat(),
        "workloads": {name: [_plain(row) for row in rows] for name, rows in results.items()},
        "repeats": {what: _plain(row) for what, row in repeats},
        "singles": {one.words: one.seconds for one in singles},
        "targets": [dict(zip(_HEAD, cells, strict=True)) for cells in _judged(results, repeats)],
    }


def write(
    folder: Path,
    scale: Scale,
    results: Results,
    repeats: list[tuple[str, Row]],
    singles: list[Single],
) -> Path:
    """Both files; the Markdown's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"report-{scale.name}.md"
    path.write_text(markdown(scale, results, repeats, singles) + "\n", encoding="utf-8")
    found = json.dumps(document(scale, results, repeats, singles), indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(found, encoding="utf-8")
    return path


_HEAD = (
    "workload",
    "ours /s",
    "best peer",
    "ratio",
    "target",
    "of prototype",
    "target ",
    "p95/p50",
    "peak MB (PSS)",
    "reached",
)


def _targets(results: Results, repeats: list[tuple[str, Row]]) -> list[str]:
    return _table(_HEAD, _judged(results, repeats))


def _judged(results: Results, repeats: list[tuple[str, Row]]) -> list[tuple[str, ...]]:
    table = [_judge(name, rows) for name, rows in results.items()]
    base = next((row for what, row in repeats if row.server == CONSTANT), None)
    for what, row in repeats:
        if base is not None and row is not base and base.rate:
            share = row.rate / base.rate
            table.append(
                (
                    what,
                    f"{row.rate:.0f}",
                    f"{CONSTANT} {base.rate:.0f}",
                    f"{share:.2f}",
                    f"{CACHED}",
                    "",
                    "",
                    "",
                    _mb(row),
                    _yes(share >= CACHED),
                )
            )
    return table


def _judge(name: str, rows: list[Row]) -> tuple[str, ...]:
    by_name = {row.server: row for row in rows}
    own, proto = by_name.get(OURS), by_name.get(PROTOTYPE)
    peers = [row for row in rows if row.server not in {OURS, PROTOTYPE} and row.rate]
    best = max(peers, key=lambda row: row.rate, default=None)
    to_peer, to_proto = WORKLOADS[name].target
    shown_best = f"{best.server} {best.rate:.1f}" if best else "none could"
    if own is None or not own.rate:
        why = own.why if own else "not run"
        return (name, f"— ({why[:60]})", shown_best, "", f"{to_peer:g}", "", "", "", "", "no")
    ratio = own.rate / best.rate if best else float("inf")
    share = own.rate / proto.rate if proto and proto.rate else None
    steady = own.milliseconds(95) / own.milliseconds(50)
    fine = [ratio >= to_peer, steady <= STEADY, own.peak <= MEMORY]
    if share is not None and to_proto is not None:
        fine.append(share >= to_proto)
    return (
        name,
        f"{own.rate:.1f}",
        shown_best,
        f"{ratio:.1f}",
        f"{to_peer:g}",
        "" if share is None else f"{share:.2f}",
        "" if to_proto is None else f"{to_proto:g}",
        f"{steady:.1f}",
        _mb(own),
        _yes(all(fine)),
    )


def _rows(rows: list[Row]) -> list[str]:
    best = max((r.rate for r in rows if r.server not in {OURS, PROTOTYPE}), default=0.0)
    proto = next((row.rate for row in rows if row.server == PROTOTYPE), 0.0)
    head = (
        "server",
        "requests/s",
        "p50 ms",
        "p95 ms",
        "peak MB (PSS)",
        "kB",
        "of best peer",
        "of prototype",
        "agrees",
        "remark",
    )
    table = []
    for row in sorted(rows, key=lambda one: -one.rate):
        if not row.rate:
            table.append((row.server, "—", *[""] * 7, row.why or str(row.failures)))
            continue
        table.append(
            (
                row.server,
                f"{row.rate:.1f}",
                f"{row.milliseconds(50):.1f}",
                f"{row.milliseconds(95):.1f}",
                _mb(row),
                f"{row.size / 1000:.1f}",
                f"{row.rate / best:.2f}" if best else "",
                f"{row.rate / proto:.2f}" if proto else "",
                f"{row.agrees:.2f}",
                str(row.failures or ""),
            )
        )
    return _table(head, table)


def _repeats(repeats: list[tuple[str, Row]]) -> list[str]:
    table = [
        (
            what,
            row.server,
            f"{row.rate:.0f}",
            f"{row.milliseconds(50):.2f}",
            f"{row.milliseconds(95):.2f}",
            row.why or str(row.failures or ""),
        )
        for what, row in repeats
    ]
    return _table(("what", "server", "requests/s", "p50 ms", "p95 ms", "remark"), table)


def _singles(singles: list[Single]) -> list[str]:
    table = [
        (
            one.words,
            f"{1000 * one.typical:.1f}",
            f"{1000 * min(one.seconds):.1f}",
            f"{one.nbytes / 1000:,.1f}",
            f"{1000 * one.most:,.0f}",
            _yes(one.typical <= one.most),
        )
        for one in singles
    ]
    return _table(("what", "median ms", "least ms", "kB", "at most ms", "reached"), table)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines]


def _plain(row: Row) -> dict[str, Any]:
    return {
        "server": row.server,
        "why": row.why,
        "agrees": row.agrees,
        "rate": row.rate,
        "p50_ms": row.milliseconds(50),
        "p95_ms": row.milliseconds(95),
        "peak_bytes": row.peak,
        "mean_bytes": row.size,
        "failures": row.failures,
        "rounds": [{"rate": one.rate, "answers": len(one.latencies)} for one in row.rounds],
    }


def _mb(row: Row) -> str:
    return f"{row.peak / 1e6:.0f}"


def _yes(good: bool) -> str:
    return "yes" if good else "no"
