"""When what a map shows last changed: its slices, what was deleted, how the server draws."""

from datacube.engine.context import Context
from datacube.engine.map import MapPlan
from datacube.store.cube import CubeStore

_MOST = 64  # times of a map that are looked at


def last_modified(context: Context, plan: MapPlan) -> str:
    """ISO 8601 time of the latest change; empty where a slice does not say when it came.

    That is the latest ingest of the slices shown, the latest deletion in their cubes, after which
    the same request may mean others, or that of the configuration's files.
    """
    latest = context.settings.changed
    for one in plan.layers:
        store, places = one.cube.store, one.places.candidates
        if not isinstance(store, CubeStore) or one.others or not 0 < len(places) <= _MOST:
            return ""
        latest = max(latest, store.last_deletion)
        for place in places:
            written = store.ingested(place[0] if store.timed else 0)
            if not written:
                return ""
            latest = max(latest, written)
    return latest
