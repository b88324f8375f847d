"""Numbers that the workers of a server share: each writes its own part, all read all of them.

They lie in memory that forked processes have in common, so that the counts of a worker outlive it.
A number is eight bytes at a multiple of eight, which processors write and read in one go; each has
one writer, but for the few at the beginning.
"""

import mmap

_BYTES = 8
_NEWS, _RESTARTS, _HEAD = 0, 1, 2


class Board:
    """The numbers; made before the workers are.

    Parameters
    ----------
    workers : int, how many processes there are
    width : int, how many numbers each has

    Examples
    --------
    >>> board = Board(2, 3)
    >>> board.part(1)[2] = 7.5
    >>> [list(part) for part in board.parts], board.workers
    ([[0.0, 0.0, 0.0], [0.0, 0.0, 7.5]], 2)
    """

    def __init__(self, workers: int, width: int) -> None:
        self.workers = workers
        self._width = width
        self._memory = mmap.mmap(-1, _BYTES * (_HEAD + workers * width))
        self._numbers = memoryview(self._memory).cast("d")

    def part(self, worker: int) -> "memoryview[float]":
        """The numbers of one worker; float64."""
        begin = _HEAD + worker * self._width
        return self._numbers[begin : begin + self._width]

    @property
    def parts(self) -> "tuple[memoryview[float], ...]":
        """Those of each."""
        return tuple(self.part(worker) for worker in range(self.workers))

    @property
    def count(self) -> int:
        """How often a worker has found the store changed."""
        return int(self._numbers[_NEWS])

    def tell(self) -> None:
        """Tell the others that the store has changed."""
        self._numbers[_NEWS] += 1

    @property
    def restarts(self) -> int:
        """How often a worker took the place of one that had ended."""
        return int(self._numbers[_RESTARTS])

    def restarted(self) -> None:
        """One more took the place of another."""
        self._numbers[_RESTARTS] += 1
