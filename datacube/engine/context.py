"""What every request needs: the catalogue, the settings, the threads. Made once, passed along."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from datacube.config.settings import Config, ServerSettings
from datacube.engine.catalog import Catalog
from datacube.engine.kept import KeptTiles
from datacube.engine.memo import Memo
from datacube.engine.news import News
from datacube.engine.understood import Understood
from datacube.model.coverage import Level
from datacube.slicing.cells import IndexMap
from datacube.store.buffers import DEFAULT_SPARE_BYTES
from datacube.store.cache import ChunkCache
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store

_WAITING = 16
"""Threads that may wait for a network, each for a step; twice as many for a chunk."""


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
    understood : Understood, what requests mean
    ranges : Memo of measured colour ranges
    maps : Memo of index maps: the same tile of another time needs no new one
    reduced : Memo of the chunks whose steps were made one, and what keeping each would take
    bodies : Memo of answers as they are sent, by entity tag and encoding
    kept : KeptTiles, optional; pictures kept beyond this process
    """

    catalog: Catalog
    settings: ServerSettings
    cache: ChunkCache
    pool: ThreadPoolExecutor
    steps: ThreadPoolExecutor
    understood: Understood
    ranges: Memo[tuple[float, float] | None]
    maps: Memo[tuple[Level, IndexMap]]
    reduced: Memo[int]
    bodies: Memo[bytes]
    kept: KeptTiles | None = None


def open_context(store_url: str, config: Config) -> Context:
    """Open a store for serving by this process alone.

    Raises
    ------
    StorageError
        The store cannot be reached.
    """
    return make_context(open_store(store_url), config)


def make_context(
    store: ObjectStore, config: Config, news: News | None = None, processes: int = 1
) -> Context:
    """The same for a store that is open already.

    Parameters
    ----------
    news : News, optional; of the processes that serve the same store
    processes : int, how many they are: each has its part of the memory
    """
    limits, tiles = config.server.limits, config.server.tile_cache
    nbytes = limits.cache_bytes // processes
    spare = min(nbytes // 16, DEFAULT_SPARE_BYTES)
    most = min((32 << 20) // processes, nbytes // 8)
    maps = Memo[tuple[Level, IndexMap]](most, _map_bytes, trial=1 << 20)
    cache = ChunkCache(nbytes - spare, spare, lambda: maps.weight)
    cores = os.cpu_count() or 2
    waiting = 0 if store.is_local else _WAITING
    pool = ThreadPoolExecutor(max(4 * cores, 2 * waiting), thread_name_prefix="chunks")
    steps = ThreadPoolExecutor(max(2 * cores, waiting), thread_name_prefix="steps")
    return Context(
        Catalog(store, config, cache, news=news),
        config.server,
        cache,
        pool,
        steps,
        Understood(),
        ranges=Memo(1024),
        maps=maps,
        reduced=Memo(cache.max_bytes, _name_bytes),
        bodies=Memo(limits.answer_cache_bytes // processes, _body_bytes),
        kept=None if tiles is None else KeptTiles(open_store(tiles.url), tiles.nbytes),
    )


def _map_bytes(entry: tuple[Level, IndexMap]) -> int:
    return entry[1].nbytes + 500


def _name_bytes(kept: int) -> int:
    """With what bounds the number of the names of small chunks."""
    return kept + (16 << 10)


def _body_bytes(body: bytes) -> int:
    """With what its key and its place take."""
    return len(body) + 500
