"""Counts for an operator, in Prometheus' text format; each application has its own registry."""

from collections.abc import Iterator
from typing import override

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
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
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "datacube_requests",
            "Requests answered",
            ("service", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "datacube_request_seconds",
            "Time to answer a request",
            ("service",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._bytes = Counter(
            "datacube_response_bytes",
            "Bytes of answers' bodies as sent",
            ("service",),
            registry=self._registry,
        )
        Gauge("datacube_info", "Version", ("version",), registry=self._registry).labels(
            __version__
        ).set(1)
        self._registry.register(_StoreCollector(context))

    def count(self, service: str, status: int, seconds: float, nbytes: int) -> None:
        """Count one answered request."""
        self._requests.labels(service, str(status)).inc()
        self._seconds.labels(service).observe(seconds)
        self._bytes.labels(service).inc(nbytes)

    def page(self) -> Response:
        """``/metrics``."""
        media_type = "text/plain; version=0.0.4; charset=utf-8"
        return Response(200, media_type, generate_latest(self._registry), (NO_STORE,))


class _StoreCollector(Collector):
    """Numbers that the chunk cache and the catalog keep themselves, read when asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @override
    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        cache = self._context.cache
        for name, text, value in (
            ("hits", "Chunks found in the cache of decoded chunks", cache.hits),
            ("misses", "Chunks not found in the cache of decoded chunks", cache.misses),
        ):
            yield CounterMetricFamily(f"datacube_chunk_cache_{name}", text, value=value)
        yield CounterMetricFamily(
            "datacube_chunks_read", "Chunks read from the store", value=cache.chunks_read
        )
        yield CounterMetricFamily(
            "datacube_chunk_bytes_read", "Bytes of chunks read", value=cache.bytes_read
        )
        yield GaugeMetricFamily(
            "datacube_chunk_cache_bytes", "Bytes of decoded chunks held", value=cache.held_bytes
        )
        try:
            cubes = float(len(self._context.catalog.cubes()))
        except DatacubeError:
            cubes = float("nan")
        yield GaugeMetricFamily("datacube_cubes", "Cubes served; NaN without store", value=cubes)
