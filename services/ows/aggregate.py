"""``AGG``: how places of the axes become one; parameters of this server in every service.

``AGG=mean`` · ``AGG=mean,count&PERIOD=month`` · ``AGG=max&OVER=depth`` · ``AGG=mean&WINDOW=P30D`` ·
``AGG=leastcloudy&BY=cloud_fraction``
"""

from datacube.errors import InvalidParameter
from datacube.model.axis import Axis
from datacube.model.domain import DomainSet
from datacube.model.query import Aggregate, LayerRequest
from services.ows.declared import Parameter
from services.ows.kvp import Kvp, comma_list

PARAMETERS = (
    Parameter(
        "AGG",
        "methods, with commas between them, by which the places of an axis become one: mean, sum, "
        "min, max, range, count, std, var, median, p95, any, all, first, last, leastcloudy; "
        "mean,count has the number of values beside the mean; AGGREGATE is the same",
    ),
    Parameter("OVER", "the axes whose places AGG makes one; time where it is not given"),
    Parameter(
        "PERIOD",
        "one result of AGG for each hour, day, pentad, dekad, month, season, year, or duration "
        "such as P10D",
    ),
    Parameter("WINDOW", "one result of AGG for each step, of so many steps or a duration before"),
    Parameter("BY", "expression that ranks the steps for AGG=leastcloudy, the lowest best"),
)
_NAMES = ("aggregate", "agg")
MAP_REDUCTION = frozenset({*_NAMES, "period", "window", "by"})
REDUCTION = MAP_REDUCTION | {"over"}


def decode_aggregate(kvp: Kvp) -> Aggregate | None:
    """Of a coverage; None where nothing is to be aggregated.

    Raises
    ------
    MissingParameter
        One of the others without AGG.
    InvalidParameter
        AGG and AGGREGATE differ.
    """
    over = kvp.optional("over", comma_list, ())
    period, window, by = (kvp.optional(name, str.strip, "") for name in ("period", "window", "by"))
    name = _name(kvp)
    if name not in kvp and not (over or period or window or by):
        return None
    return Aggregate(tuple(over), tuple(kvp.one(name, comma_list)), period, window, by)


def axes_made_one(aggregate: Aggregate | None, domain: DomainSet) -> list[Axis | str]:
    """The axes of which an aggregate leaves one place."""
    if aggregate is None or aggregate.every or aggregate.window:
        return []
    if not aggregate.axes:
        return [] if domain.time is None else [domain.time]
    return [domain.axis(name) for name in aggregate.axes]


def decode_reduction(kvp: Kvp) -> LayerRequest:
    """Of a picture: a request of no layer yet.

    Raises
    ------
    InvalidParameter
        AGG and AGGREGATE differ.
    """
    return LayerRequest(
        "",
        aggregate=kvp.optional(_name(kvp), str.lower, ""),
        every=kvp.optional("period", str.strip, ""),
        window=kvp.optional("window", str.strip, ""),
        by=kvp.optional("by", str.strip, ""),
    )


def _name(kvp: Kvp) -> str:
    """Which of both names of ``AGG`` a request uses.

    Raises
    ------
    InvalidParameter
        Both, with different values.
    """
    given = [name for name in _NAMES if name in kvp]
    if len({kvp.values(name) for name in given}) > 1:
        raise InvalidParameter(
            "AGG and AGGREGATE are the same and have different values here; give one of them",
            subject=_NAMES[-1],
        )
    return given[0] if given else _NAMES[-1]
