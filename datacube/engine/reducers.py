"""Which reducer a request means on a cube."""

from datacube.engine.cube import Cube
from datacube.engine.wanted import wanted_expression
from datacube.errors import InvalidParameter
from datacube.slicing.reduce import Reducer, reducer


def reducer_of(cube: Cube, method: str, by: str = "") -> Reducer:
    """The reducer of a name; a ranking one with the expression that it ranks by.

    Parameters
    ----------
    cube : Cube
    method : str, as the client writes it
    by : str, the client's expression; empty is the cube's own

    Raises
    ------
    InvalidParameter
        There is no such reducer, or nothing to rank by.
    InvalidExpression, FieldNotFound
        The expression cannot be read, or names a field that is not there.
    """
    found = reducer(method, subject="AGG", by=by or cube.settings.cloudiness)
    if found.ranked and not found.by:
        raise InvalidParameter(
            f"{method} needs to know how cloudy a pixel is: BY=cloud_fraction, or another "
            f"expression; {cube.id} has none of its own",
            subject="BY",
        )
    if by and not found.ranked:
        raise InvalidParameter(
            f"BY ranks the steps of leastcloudy; {method} takes none", subject="BY"
        )
    if found.ranked:
        wanted_expression(cube.description, found.by, "rank")
    return found
