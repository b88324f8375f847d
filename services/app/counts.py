"""Which numbers the workers of a server count, and their places on the board."""

from services.app.board import Board

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SERVICES = (
    *("wms", "wmts", "tiles", "times", "events", "wcs", "ogcapi", "zarr"),
    *("viewer", "landing", "healthz", "metrics", "none"),
)
FIRST_STATUS, _LAST_STATUS = 100, 599
STATUSES = _LAST_STATUS + 1 - FIRST_STATUS
_BUCKETS = len(SECONDS) + 1
TIME, BYTES = STATUSES + _BUCKETS, STATUSES + _BUCKETS + 1
OF_A_SERVICE = BYTES + 1
BEGIN = {name: place * OF_A_SERVICE for place, name in enumerate(_SERVICES)}
NONE = BEGIN["none"]
STORE = len(_SERVICES) * OF_A_SERVICE
COUNTERS = (
    ("chunk_cache_hits", "Chunks, or what was made of them, found in the cache of decoded chunks"),
    ("chunk_cache_misses", "Chunks not found in the cache"),
    ("chunks_read", "Chunks read from the store"),
    ("chunk_bytes_read", "Bytes of chunks read"),
    ("answer_cache_hits", "Pictures and documents found as they are sent"),
    ("answer_cache_misses", "Pictures and documents made"),
)
GAUGES = (
    ("chunk_cache_bytes", "Bytes of decoded chunks, and of what was made of them, held"),
    ("answer_cache_bytes", "Bytes of pictures and documents held"),
)
HELD = STORE + len(COUNTERS)
WIDTH = HELD + len(GAUGES)


def make_board(workers: int = 1) -> Board:
    """A board with room for the counts of so many processes."""
    return Board(workers, WIDTH)
