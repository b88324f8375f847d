"""``AGG``: how places of the axes become one; parameters of this server in every service.

``AGG=mean`` · ``AGG=mean,count&PERIOD=month`` · ``AGG=max&OVER=depth`` · ``AGG=mean&WINDOW=P30D`` ·
``AGG=leastcloudy&BY=cloud_fraction``
"""

from datacube.model.query import Aggregate, LayerRequest
from services.ows.kvp import Kvp, comma_list

MAP_REDUCTION = frozenset({"agg", "period", "window", "by"})
REDUCTION = MAP_REDUCTION | {"over"}


def decode_aggregate(kvp: Kvp) -> Aggregate | None:
    """Of a coverage; None where nothing is to be aggregated.

    Raises
    ------
    MissingParameter
        One of the others without AGG.
    """
    over = kvp.optional("over", comma_list, ())
    period, window, by = (kvp.optional(name, str.strip, "") for name in ("period", "window", "by"))
    if "agg" not in kvp and not (over or period or window or by):
        return None
    return Aggregate(tuple(over), tuple(kvp.one("agg", comma_list)), period, window, by)


def decode_reduction(kvp: Kvp) -> LayerRequest:
    """Of a picture: a request of no layer yet."""
    return LayerRequest(
        "",
        aggregate=kvp.optional("agg", str.lower, ""),
        every=kvp.optional("period", str.strip, ""),
        window=kvp.optional("window", str.strip, ""),
        by=kvp.optional("by", str.strip, ""),
    )
