"""What follows from the catalogue alone, worked out once for each of its versions."""

from collections.abc import Callable, Hashable
from typing import Any, cast

MOST = 4096
_TEXT = 500  # characters of a key that weigh as much as a value


class Understood:
    """Values by key, all forgotten when the catalogue changes, and when there are too many.

    For values that any thread may work out again: two may do so at the same time.

    Parameters
    ----------
    most : int, how much is kept, of what ``weigh`` tells

    Examples
    --------
    >>> known = Understood()
    >>> known.get("v1", "a", lambda: 1), known.get("v1", "a", lambda: 2), known.get("v2", "a", int)
    (1, 1, 0)
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._at: tuple[str, dict[Hashable, object]] = ("", {})
        self._weight = 0

    def get[T](
        self,
        version: str,
        key: Hashable,
        find: Callable[[], T],
        weigh: Callable[[T], int] | None = None,
    ) -> T:
        """The value of a key as of a version of the catalogue.

        Parameters
        ----------
        version : str, read before anything that the value follows from
        key : hashable, all that it follows from beside the catalogue
        weigh : callable, optional; how much a value takes, 1 where not given
        """
        at, held = self._at
        if at != version:
            held, self._weight = {}, 0
            self._at = version, held
        found: Any = held.get(key, self)
        if found is self:
            found = find()
            weight = (1 if weigh is None else weigh(found)) + len(repr(key)) // _TEXT
            if weight <= self._most:
                if self._weight + weight > self._most:
                    held.clear()
                    self._weight = 0
                held[key] = found
                self._weight += weight
        return cast("T", found)
