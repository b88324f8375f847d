"""What every request needs: the catalogue, the settings, the threads. Made once, passed along."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from datacube.config.settings import Config, ServerSettings
from datacube.engine.catalog import Catalog
from datacube.engine.memo import Memo
from datacube.model.coverage import Level
from datacube.slicing.cells import IndexMap
from datacube.store.cache import ChunkCache
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store


@dataclass(frozen=True, eq=False)
class Context:
    """The state of a running server.

    Parameters
    ----------
    catalog : Catalog, the cubes of the store
    settings : ServerSettings
    cache : ChunkCache, decoded chunks, shared by all threads
    pool : ThreadPoolExecutor, reads chunks of one step at the same time
    steps : ThreadPoolExecutor, reads steps of one request ahead; its work may wait for pool's
    ranges : Memo of measured colour ranges
    maps : Memo of index maps: the same tile of another time needs no new one
    bodies : Memo of answers as they are sent, by entity tag and encoding
    """

    catalog: Catalog
    settings: ServerSettings
    cache: ChunkCache
    pool: ThreadPoolExecutor
    steps: ThreadPoolExecutor
    ranges: Memo[tuple[float, float] | None]
    maps: Memo[tuple[Level, IndexMap]]
    bodies: Memo[bytes]


def open_context(store_url: str, config: Config) -> Context:
    """Open a store for serving.

    Raises
    ------
    StorageError
        The store cannot be reached.
    """
    return make_context(open_store(store_url), config)


def make_context(store: ObjectStore, config: Config) -> Context:
    """The same for a store that is open already."""
    cache = ChunkCache(config.server.limits.cache_bytes)
    pool = ThreadPoolExecutor(max_workers=4 * (os.cpu_count() or 2), thread_name_prefix="chunks")
    steps = ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 2), thread_name_prefix="steps")
    catalog = Catalog(store, config, cache)
    return Context(
        catalog,
        config.server,
        cache,
        pool,
        steps,
        ranges=Memo(1024),
        maps=Memo(32 << 20, _map_bytes),
        bodies=Memo(config.server.limits.answer_cache_bytes, _body_bytes),
    )


def _map_bytes(entry: tuple[Level, IndexMap]) -> int:
    return entry[1].nbytes + 500


def _body_bytes(body: bytes) -> int:
    """With what its key and its place take."""
    return len(body) + 500
