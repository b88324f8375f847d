"""The demo store: fetch, simulate, ingest. What is there already is left as it is.

======================  =============================================================
Cube                    What it is
======================  =============================================================
``ecmwf-forecast``      ECMWF open-data forecast: temperature and wind on two levels
``air-temperature``     Met Office model: 240 years of air temperature, scenarios A1B and E1
``nemo-sst``            Met Office NEMO: sea surface temperature on its tripolar grid
``ostia-monthly``       Met Office OSTIA: monthly sea surface temperature
``s2-simulated``        simulated Sentinel-2 L2A, not an observation
======================  =============================================================
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from datacube.config.load import load_recipe
from datacube.errors import SourceError
from datacube.ingest.pipeline import ingest
from datacube.ingest.report import IngestReport
from datacube.store.compact import compact
from datacube.store.url import open_store
from services.demo.fetch import CLIMATE, FORECAST, fetch
from services.demo.scene import SEED, SIZE
from services.demo.sentinel2 import make_series


def config_folder() -> Path:
    """The demo's configuration: in the wheel beside this module, in a checkout at its top."""
    packaged = Path(__file__).parent / "config"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "config"


def make_demo(store: str, *, cache: Path, report: Callable[[str], None]) -> None:
    """Make the demo store, or complete it.

    Parameters
    ----------
    store : str
        URL or path of the store.
    cache : pathlib.Path
        Folder that keeps what was downloaded and simulated, so that the next time is quick.
    report : callable
        Called with a line for each step.

    Raises
    ------
    SourceError
        If a wheel cannot be had, or a source was refused by the ingest.
    StorageError
        If the store cannot be used.
    """
    forecast = fetch(FORECAST, cache, report)
    climate = fetch(CLIMATE, cache, report)
    scenes = make_series(cache / f"sentinel2-simulated-{SIZE}-{SEED}", report=report)
    sources = {
        "ecmwf-forecast": (forecast["tuv.grib"],),
        "air-temperature": (climate["A1B_north_america.nc"], climate["E1_north_america.nc"]),
        "nemo-sst": tuple(path for name, path in climate.items() if name.startswith("nemo")),
        "ostia-monthly": (climate["ostia_monthly.nc"],),
        "s2-simulated": scenes,
    }
    fill(store, sources, report)


def fill(store: str, sources: Mapping[str, Sequence[Path]], report: Callable[[str], None]) -> None:
    """Ingest what is not in the store yet.

    Parameters
    ----------
    store : str
        URL or path of the store.
    sources : mapping of str to sequence of pathlib.Path
        The sources of each cube; ``config/recipes/ID.yaml`` is its recipe.
    report : callable
        Called with a line for each cube.

    Raises
    ------
    SourceError
        If a source was refused; those before it are in.
    StorageError
        If the store cannot be used.
    """
    for cube, paths in sources.items():
        recipe = load_recipe(config_folder() / "recipes" / f"{cube}.yaml")
        done = ingest([str(path) for path in paths], store=store, recipe=recipe)
        _require_all(done)
        if any(one.slices_added for one in done.results):
            compact(open_store(store), cube)  # so that the plain group shows it all
        report(summary(cube, done))


def summary(cube: str, done: IngestReport) -> str:
    """One line about what went into a cube.

    Parameters
    ----------
    cube : str
        Id of the cube.
    done : IngestReport

    Returns
    -------
    str
        ``ostia-monthly: 54 slices added, 1.7 MB in 0.4 s``.

    Examples
    --------
    >>> from datacube.ingest.report import SourceResult
    >>> there = SourceResult("sst.nc", ("ostia-monthly",), "already")
    >>> summary("ostia-monthly", IngestReport((there,)))
    'ostia-monthly: already there'
    """
    added = sum(result.slices_added for result in done.results)
    if not added:
        return f"{cube}: already there"
    size = sum(result.bytes for result in done.results) / 1e6
    seconds = sum(result.seconds for result in done.results)
    return f"{cube}: {added} slices added, {size:.1f} MB in {seconds:.1f} s"


def _require_all(done: IngestReport) -> None:
    for result in done.results:
        if result.status in {"refused", "failed"}:
            raise SourceError(
                f"the demo source {result.source} was refused: {result.reason}",
                subject=result.source,
            )
