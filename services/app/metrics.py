"""Counts for an operator, in Prometheus' text format; each application has its own registry."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
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
from services.ows.caching import NO_STORE
from services.ows.transport import Response

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counts of one application.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self._requests = _RequestCollector()
        self._registry = CollectorRegistry()
        self._registry.register(self._requests)
        Gauge("datacube_info", "Version", ("version",), registry=self._registry).labels(
            __version__
        ).set(1)
        self._registry.register(_StoreCollector(context))

    def count(self, service: str, status: int, seconds: float, nbytes: int) -> None:
        """Count one answered request; from one thread only, that of the event loop."""
        self._requests.count(service, status, seconds, nbytes)

    def page(self) -> Response:
        """``/metrics``."""
        media_type = "text/plain; version=0.0.4; charset=utf-8"
        return Response(200, media_type, generate_latest(self._registry), (NO_STORE,))


@dataclass(slots=True)
class _Tally:
    """What came of the requests for one service."""

    statuses: dict[int, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_SECONDS) + 1))
    seconds: float = 0.0
    nbytes: int = 0


class _RequestCollector(Collector):
    """Requests, their times and their bytes, by service."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}

    def count(self, service: str, status: int, seconds: float, nbytes: int) -> None:
        tally = self._tallies.get(service)
        if tally is None:
            tally = self._tallies[service] = _Tally()
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        tally.buckets[bisect_left(_SECONDS, seconds)] += 1
        tally.seconds += seconds
        tally.nbytes += nbytes

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
        ends = (*map(str, _SECONDS), "+Inf")
        for service, tally in tuple(self._tallies.items()):
            for status, times in tuple(tally.statuses.items()):
                requests.add_metric((service, str(status)), times)
            sums = zip(ends, map(float, accumulate(tally.buckets)), strict=True)
            seconds.add_metric((service,), list(sums), tally.seconds)
            nbytes.add_metric((service,), tally.nbytes)
        yield from (requests, seconds, nbytes)


class _StoreCollector(Collector):
    """Numbers that the caches and the catalog keep themselves, read when asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @override
    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        cache, bodies = self._context.cache, self._context.bodies
        for name, text, value in (
            ("chunk_cache_hits", "Chunks found in the cache of decoded chunks", cache.hits),
            ("chunk_cache_misses", "Chunks not found in the cache", cache.misses),
            ("chunks_read", "Chunks read from the store", cache.chunks_read),
            ("chunk_bytes_read", "Bytes of chunks read", cache.bytes_read),
            ("answer_cache_hits", "Pictures and documents found as they are sent", bodies.hits),
            ("answer_cache_misses", "Pictures and documents made", bodies.misses),
        ):
            yield CounterMetricFamily(f"datacube_{name}", text, value=value)
        for name, text, held in (
            ("chunk_cache_bytes", "Bytes of decoded chunks held", cache.held_bytes),
            ("answer_cache_bytes", "Bytes of pictures and documents held", bodies.weight),
        ):
            yield GaugeMetricFamily(f"datacube_{name}", text, value=held)
        try:
            cubes = float(len(self._context.catalog.cubes()))
        except DatacubeError:
            cubes = float("nan")
        yield GaugeMetricFamily("datacube_cubes", "Cubes served; NaN without store", value=cubes)
