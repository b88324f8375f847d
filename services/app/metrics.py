"""Counts for an operator, in Prometheus' text format, over all workers of a server.

Each worker writes what it counts to its part of the board; whichever is asked adds them up. One
that takes the place of another goes on counting where that one has ended.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from struct import Struct
from typing import override

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from datacube import __version__
from datacube.engine.context import Context
from datacube.errors import DatacubeError
from services.app.board import Board
from services.app.counts import (
    BEGIN,
    BYTES,
    COUNTERS,
    FIRST_STATUS,
    GAUGES,
    HELD,
    NONE,
    OF_A_SERVICE,
    SECONDS,
    STATUSES,
    STORE,
    TIME,
    WIDTH,
)
from services.ows.caching import NO_STORE
from services.ows.transport import Response

_NUMBERS = Struct(f"{WIDTH - STORE}d")
_NUMBER = 8  # bytes


class Metrics:
    """The counts of one application, which may be one of several workers.

    Parameters
    ----------
    context : Context
    board : Board, as :func:`~services.app.counts.make_board` makes it
    worker : int, which of them this is
    """

    def __init__(self, context: Context, board: Board, worker: int = 0) -> None:
        self._context = context
        self._own = board.part(worker)
        self._before = self._own[STORE:HELD].tolist()
        self._registry = CollectorRegistry()
        self._registry.register(_RequestCollector(board))
        Gauge("datacube_info", "Version", ("version",), registry=self._registry).labels(
            __version__
        ).set(1)
        self._registry.register(_StoreCollector(context, board))

    def count(self, service: str, status: int, seconds: float, nbytes: int) -> None:
        """Count one answered request; from one thread only, that of the event loop."""
        own, begin = self._own, BEGIN.get(service, NONE)
        own[begin + status - FIRST_STATUS] += 1
        own[begin + STATUSES + bisect_left(SECONDS, seconds)] += 1
        own[begin + TIME] += seconds
        own[begin + BYTES] += nbytes

    def page(self) -> Response:
        """``/metrics``."""
        self.note_store()
        media_type = "text/plain; version=0.0.4; charset=utf-8"
        return Response(200, media_type, generate_latest(self._registry), (NO_STORE,))

    def note_store(self) -> None:
        """Write down the numbers that the caches keep themselves, after those of earlier ones."""
        cache, bodies = self._context.cache, self._context.bodies
        hits, misses, chunks, nbytes, found, made = self._before
        _NUMBERS.pack_into(
            self._own,
            STORE * _NUMBER,
            *(hits + cache.hits, misses + cache.misses),
            *(chunks + cache.chunks_read, nbytes + cache.bytes_read),
            *(found + bodies.hits, made + bodies.misses),
            *(cache.held_bytes, bodies.weight),
        )


class _RequestCollector(Collector):
    """Requests, their times and their bytes, by service."""

    def __init__(self, board: Board) -> None:
        self._board = board

    @override
    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        requests = CounterMetricFamily(
            "datacube_requests", "Requests answered", labels=("service", "status")
        )
        seconds = HistogramMetricFamily(
            "datacube_request_seconds", "Time to answer a request", labels=("service",)
        )
        nbytes = CounterMetricFamily(
            "datacube_response_bytes", "Bytes of answers' bodies as sent", labels=("service",)
        )
        ends = (*map(str, SECONDS), "+Inf")
        for service, begin in BEGIN.items():
            tally = _sums(self._board, begin, begin + OF_A_SERVICE)
            if not any(buckets := tally[STATUSES:TIME]):
                continue
            for place, times in enumerate(tally[:STATUSES]):
                if times:
                    requests.add_metric((service, str(place + FIRST_STATUS)), times)
            sums = zip(ends, accumulate(buckets), strict=True)
            seconds.add_metric((service,), list(sums), tally[TIME])
            nbytes.add_metric((service,), tally[BYTES])
        yield from (requests, seconds, nbytes)


class _StoreCollector(Collector):
    """Numbers of the caches and the catalog, and of the workers themselves."""

    def __init__(self, context: Context, board: Board) -> None:
        self._context = context
        self._board = board

    @override
    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        numbers = _sums(self._board, STORE, WIDTH)
        for (name, text), value in zip(COUNTERS, numbers, strict=False):
            yield CounterMetricFamily(f"datacube_{name}", text, value=value)
        for (name, text), value in zip(GAUGES, numbers[len(COUNTERS) :], strict=True):
            yield GaugeMetricFamily(f"datacube_{name}", text, value=value)
        try:
            cubes = float(len(self._context.catalog.cubes()))
        except DatacubeError:
            cubes = float("nan")
        yield GaugeMetricFamily("datacube_cubes", "Cubes served; NaN without store", value=cubes)
        workers, restarts = self._board.workers, self._board.restarts
        yield GaugeMetricFamily("datacube_workers", "Processes that answer", value=workers)
        yield CounterMetricFamily(
            "datacube_worker_restarts", "Processes that ended and were begun anew", value=restarts
        )


def _sums(board: Board, begin: int, end: int) -> list[float]:
    """Some numbers, over all workers."""
    return [sum(each) for each in zip(*(part[begin:end] for part in board.parts), strict=True)]
