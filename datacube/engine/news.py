"""Word between the processes that serve one store: what one has seen, all look at.

Without it each would find a commit when it looks at the store itself, and for up to a second the
same client would be told of a new slice by one process and see nothing of it from the next.
"""

from typing import Protocol


class News(Protocol):
    """How often one of the processes has found the store changed."""

    @property
    def count(self) -> int:
        """The number now; takes next to no time."""

    def tell(self) -> None:
        """One more."""


class Unheard:
    """Of a process that serves its store alone; nobody is told.

    Examples
    --------
    >>> news = Unheard()
    >>> news.tell()
    >>> news.count
    0
    """

    count = 0

    def tell(self) -> None:
        """Nothing happens."""
