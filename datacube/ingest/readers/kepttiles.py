"""Tiles that were unpacked last, each of them once however many threads ask for it."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

type Place = tuple[int, int]

HELD = 32 << 20
"""Bytes of tiles that are kept."""


@dataclass(eq=False)
class _Tile:
    lock: threading.Lock = field(default_factory=threading.Lock)
    values: NDArray[Any] | None = None


class KeptTiles:
    """For windows that have parts of a tile, and bands that lie together in it.

    Parameters
    ----------
    held : int
        Up to so many bytes are kept; one tile at least.

    Examples
    --------
    >>> import numpy as np
    >>> kept = KeptTiles(100)
    >>> kept.get((0, 0), lambda: np.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    >>> kept.get((0, 0), lambda: np.zeros(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, held: int = HELD) -> None:
        self._held = held
        self._lock = threading.Lock()
        self._tiles: OrderedDict[Place, _Tile] = OrderedDict()

    def get(self, place: Place, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The tile at a row and column; made here, or waited for where another thread makes it."""
        with self._lock:
            tile = self._tiles.setdefault(place, _Tile())
            self._tiles.move_to_end(place)
        with tile.lock:
            if tile.values is None:
                tile.values = make()
            found = tile.values
        with self._lock:
            while len(self._tiles) > max(1, self._held // found.nbytes):
                self._tiles.popitem(last=False)
        return found
