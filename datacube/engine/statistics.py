"""What the store knows of the values that occur, for ranges of colours."""

from collections.abc import Sequence

from datacube.render.ranges import Statistics
from datacube.render.stretch import Distribution
from datacube.store.cube import CubeStore
from datacube.store.source import CubeSource
from datacube.store.statistics import PROBABILITIES, FieldStatistics


def distribution(store: CubeSource, field: str) -> Distribution | None:
    """Values that occur in a field over all times; None where nothing is known.

    Parameters
    ----------
    field : str, name of one of the cube's fields
    """
    found = _statistics(store, field)
    if found is None:
        return None
    shares = (0.0, *(100 * share for share in PROBABILITIES), 100.0)
    return Distribution(shares, (found.minimum, *found.quantiles, found.maximum))


def usual_ranges(store: CubeSource, fields: Sequence[str]) -> Statistics:
    """The second and 98th percentile of the fields of which they are known."""
    found = {name: _statistics(store, name) for name in fields}
    return {name: one.usual for name, one in found.items() if one is not None}


def extremes(store: CubeSource, field: str) -> tuple[float, float] | None:
    """No value of a field lies beyond these physical ones; None where nothing is known."""
    found = _statistics(store, field)
    return None if found is None else (found.minimum, found.maximum)


def _statistics(store: CubeSource, field: str) -> FieldStatistics | None:
    """Statistics are kept of the cubes that this program has written."""
    return store.statistics(field) if isinstance(store, CubeStore) else None
