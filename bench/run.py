"""A run: every server started, checked for right answers, then measured in interleaved rounds."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

import httpx
import numpy as np

from bench.asks import WORKLOADS, Ask, Workload
from bench.driver import Round, drive, http
from bench.process import PeakMemory, Service
from bench.scale import Scale
from bench.servers import PathOf, Server
from bench.verify import Truth, Wrong, probes

GREEDY = 1 << 31
"""Bytes of memory above which a server is started anew before its next workload."""


@dataclass
class Row:
    """One server in one workload.

    Parameters
    ----------
    server : str
    why : str, why there are no figures; empty where there are
    agrees : float, share of pixels or values that are right
    rounds : list of Round
    peak : int, bytes of all its processes, pages that they share counted once
    """

    server: str
    why: str = ""
    agrees: float = 0.0
    rounds: list[Round] = field(default_factory=list)
    peak: int = 0

    @property
    def rate(self) -> float:
        """Requests a second, median of the rounds."""
        return median(one.rate for one in self.rounds) if self.rounds else 0.0

    def milliseconds(self, percentile: float) -> float:
        """Percentile of the latency, median of the rounds."""
        kept = [one.latencies for one in self.rounds if one.latencies]
        return median(1000 * float(np.percentile(one, percentile)) for one in kept) if kept else 0.0

    @property
    def size(self) -> float:
        """Mean bytes of an answer."""
        answers = sum(len(one.latencies) for one in self.rounds)
        return sum(one.nbytes for one in self.rounds) / answers if answers else 0.0

    @property
    def failures(self) -> dict[str, int]:
        """What went wrong while it was measured."""
        found: dict[str, int] = {}
        for one in self.rounds:
            for what, times in one.failures.items():
                found[what] = found.get(what, 0) + times
        return found


class Bench:
    """Servers and their state through the workloads of one run."""

    def __init__(self, scale: Scale, servers: list[Server]) -> None:
        self.scale = scale
        self.servers = servers
        self.truth = Truth(scale)
        self._running: dict[str, Service] = {}
        self._dead: dict[str, str] = {s.name: s.absent for s in servers if s.absent}

    def stop(self) -> None:
        """End every server."""
        for service in self._running.values():
            service.stop()
        self._running.clear()

    def measure(self, workload: Workload) -> list[Row]:
        """One workload against every server.

        All get the same questions in a round. Whoever is asked first finds less of what is read in
        the caches of the system and of the processor, so that each second round goes backwards.
        """
        print(f"{workload.name}: {workload.words}", flush=True)
        seconds, rounds = self.scale.seconds, self.scale.rounds
        share = int(workload.most * seconds)
        asks = workload.make(self.scale, share * (rounds + 1))
        share = min(share, max(1, len(asks) // (rounds + 1)))
        warm, rest = asks[:share], asks[share:]
        tests = probes(workload.name, workload.make, self.scale)
        rows, ways = [], {}
        for server in self.servers:
            row, way = self._prepared(workload.name, server, tests)
            rows.append(row)
            if way is not None:
                ways[server.name] = way
                self._warm(server, way, warm)
        for number in range(rounds):
            part = rest[number * share : (number + 1) * share]
            both = list(zip(rows, self.servers, strict=True))
            for row, server in both if number % 2 == 0 else reversed(both):
                if server.name in ways:
                    self._round(row, server, ways[server.name], part)
        for row in rows:
            print(
                f"  {row.server}: {row.why or f'{row.rate:.1f}/s'} {row.failures or ''}", flush=True
            )
        return rows

    def repeat(self, name: str, path: str, headers: str = "", wanted: int = 200) -> Row:
        """One request again and again; for the constant body, a kept tile and 304."""
        server = next(one for one in self.servers if one.name == name)
        row = Row(name)
        try:
            service = self._service(server)
        except RuntimeError as error:
            row.why = str(error)
            return row
        request = http(service.port, path, headers)
        for _ in range(self.scale.rounds):
            most = int(40_000 * self.scale.seconds)
            with PeakMemory(service) as memory:
                row.rounds.append(
                    drive(
                        service.port,
                        (request for _ in range(most)),
                        self.scale.seconds,
                        wanted=wanted,
                    )
                )
            row.peak = max(row.peak, memory.peak)
        return row

    def url(self, name: str) -> str:
        """Root of a running server; it is started where it is not."""
        server = next(one for one in self.servers if one.name == name)
        return f"http://127.0.0.1:{self._service(server).port}"

    def get(self, name: str, path: str) -> httpx.Response:
        """One answer of a server."""
        return httpx.get(f"{self.url(name)}{path}", timeout=60)

    def _prepared(self, name: str, server: Server, tests: list[Ask]) -> tuple[Row, PathOf | None]:
        row = Row(server.name)
        if server.name in self._dead:
            row.why = self._dead[server.name]
            return row, None
        ways = server.paths.get(name, ())
        if not ways:
            row.why = server.cannot.get(name, "not asked")
            return row, None
        self._slim(server)
        reasons = []
        for way in ways:
            try:
                row.agrees = min(self._checked(server, way, ask) for ask in tests)
            except (Wrong, RuntimeError, httpx.HTTPError) as error:
                reasons.append(" ".join(str(error).split())[:160] or type(error).__name__)
                continue
            return row, way
        row.why = "; ".join(dict.fromkeys(reasons))
        return row, None

    def _checked(self, server: Server, way: PathOf, ask: Ask) -> float:
        answer = self.get(server.name, way(ask))
        if answer.status_code != 200:
            raise Wrong(f"status {answer.status_code}: {answer.text[:140]}")
        return self.truth.check(ask, answer.content)

    def _round(self, row: Row, server: Server, way: PathOf, asks: list[Ask]) -> None:
        try:
            with PeakMemory(self._service(server)) as memory:
                row.rounds.append(self._drive(server, way, asks, self.scale.seconds))
        except (OSError, RuntimeError) as error:
            failed = Round(self.scale.seconds)
            failed.fail(f"the server was gone: {error}")
            row.rounds.append(failed)
            self._forget(server)
            return
        row.peak = max(row.peak, memory.peak)

    def _warm(self, server: Server, way: PathOf, asks: list[Ask]) -> None:
        """Ask for as long as a round takes: caches fill, the system finds memory for them."""
        with contextlib.suppress(OSError):  # the rounds will tell
            self._drive(server, way, asks, self.scale.seconds)

    def _drive(self, server: Server, way: PathOf, asks: Iterable[Ask], seconds: float) -> Round:
        port = self._service(server).port
        return drive(port, [http(port, way(ask)) for ask in asks], seconds)

    def _service(self, server: Server) -> Service:
        if server.name not in self._running:
            try:
                self._running[server.name] = server.start()
            except (RuntimeError, OSError) as error:
                self._dead[server.name] = str(error)
                raise RuntimeError(str(error)) from error
        return self._running[server.name]

    def _slim(self, server: Server) -> None:
        """Let go of a server that has grown, so that all fit into memory beside one another."""
        service = self._running.get(server.name)
        if service is not None and service.held() > GREEDY:
            self._forget(server)

    def _forget(self, server: Server) -> None:
        """Stop a server; it is started anew when it is next asked."""
        service = self._running.pop(server.name, None)
        if service is not None:
            service.stop()


def chosen(names: str) -> list[Workload]:
    """Workloads by their names, all for an empty text.

    Raises
    ------
    KeyError
        There is none of that name.
    """
    return [WORKLOADS[name] for name in names.split(",")] if names else list(WORKLOADS.values())
