"""When what a map shows was put into its cubes."""

from datacube.engine.map import MapPlan
from datacube.store.cube import CubeStore

_MOST = 64  # times of a map that are looked at


def last_modified(plan: MapPlan) -> str:
    """ISO 8601 time of the latest ingest of the slices shown; empty where one does not say it."""
    latest = ""
    for one in plan.layers:
        store, places = one.cube.store, one.places.candidates
        if not isinstance(store, CubeStore) or one.others or not 0 < len(places) <= _MOST:
            return ""
        for place in places:
            written = store.ingested(place[0] if store.timed else 0)
            if not written:
                return ""
            latest = max(latest, written)
    return latest
