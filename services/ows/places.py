"""What takes but a moment: the values of few places, and whether a request asks for no more."""

from collections.abc import Iterable

from datacube.engine.context import Context
from datacube.engine.line import plan_line, read_line
from datacube.engine.picks import most_places
from datacube.model.query import AxisSubset, LineQuery
from datacube.model.sampled import Sampled
from services.ows.transport import Request, TakesLonger

_MANY = 1000
"""Places of the axes beside x and y whose plan alone takes longer than a moment."""


def check_places(
    context: Context, request: Request, name: str, subsets: Iterable[AxisSubset]
) -> None:
    """End a brief request here where the plan alone would take longer, or a network lies between.

    Parameters
    ----------
    name : str, of the cube
    subsets : of any of its axes

    Raises
    ------
    CoverageNotFound, AxisNotFound
    TakesLonger
    """
    if not request.brief:
        return
    cube = context.catalog.cube(name)
    if cube.store.remote or most_places(cube.description.domain, subsets) > _MANY:
        raise TakesLonger


def sampled_line(context: Context, request: Request, query: LineQuery) -> Sampled:
    """Values at places or along a line; raises as :func:`~datacube.engine.line.get_line`.

    Raises
    ------
    TakesLonger
        The request was to be brief.
    """
    check_places(context, request, query.coverage, query.subsets)
    plan = plan_line(context, query)
    if request.brief and not plan.brief:
        raise TakesLonger
    return read_line(context, plan)
