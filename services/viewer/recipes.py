"""First recipes for the clients of a cube, as text to copy: OWSLib, QGIS, a web map, GDAL."""

from dataclasses import dataclass

from datacube.engine.cube import Cube


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe: its title, a sentence, and the text to copy."""

    title: str
    sentence: str
    text: str


def recipes(cube: Cube, base_url: str) -> tuple[Recipe, ...]:
    """Recipes that work on one cube of this server.

    Parameters
    ----------
    base_url : str
        Public URL of the server's root.
    """
    return (
        Recipe("QGIS", _QGIS, _qgis(base_url)),
        Recipe("Python, with OWSLib", "Values by WCS, a picture by WMS.", _owslib(cube, base_url)),
        Recipe("A web map, with OpenLayers", "Any map library works.", _openlayers(cube, base_url)),
        Recipe(
            "Command line, with curl", "Values as NetCDF or CoverageJSON.", _curl(cube, base_url)
        ),
    )


_QGIS = (
    "Layer ▸ Add Layer ▸ Add WMS/WMTS Layer… ▸ New, and one of these URLs. Layers with time "
    "follow the Temporal Controller."
)


def _qgis(base_url: str) -> str:
    return f"{base_url}/wms\n{base_url}/wmts/1.0.0/WMTSCapabilities.xml"


def _owslib(cube: Cube, base_url: str) -> str:
    domain = cube.description.domain
    left, bottom, right, top = (f"{edge:.6g}" for edge in domain.bbox.edges)
    x, y = domain.grid.crs.labels
    slices = [f'("{x}", {left}, {right})', f'("{y}", {bottom}, {top})']
    if domain.time is not None:
        slices.append(f'("ansi", "{domain.time.iso[-1]}")')
    west, south, east, north = (f"{edge:.6g}" for edge in domain.bbox.geographic().edges)
    return f'''from owslib.wcs import WebCoverageService
from owslib.wms import WebMapService

wcs = WebCoverageService("{base_url}/wcs", version="2.0.1")
answer = wcs.getCoverage(
    identifier="{cube.id}",
    format="application/netcdf",
    subsets=[{", ".join(slices)}],
)
open("{cube.id}.nc", "wb").write(answer.read())

wms = WebMapService("{base_url}/wms", version="1.3.0")
picture = wms.getmap(
    layers=["{cube.id}"],
    srs="CRS:84",
    bbox=({west}, {south}, {east}, {north}),
    size=(800, 400),
    format="image/png",
)
open("{cube.id}.png", "wb").write(picture.read())'''


def _openlayers(cube: Cube, base_url: str) -> str:
    return f'''import TileLayer from "ol/layer/Tile.js";
import TileWMS from "ol/source/TileWMS.js";

const layer = new TileLayer({{
  source: new TileWMS({{
    url: "{base_url}/wms",
    params: {{ LAYERS: "{cube.id}" }},
  }}),
}});'''


def _curl(cube: Cube, base_url: str) -> str:
    time = cube.description.domain.time
    when = "" if time is None else f"&datetime={time.iso[-1]}"
    here = f"{base_url}/ogcapi/collections/{cube.id}/coverage"
    return f'curl -o {cube.id}.nc "{here}?f=netcdf{when}"\ncurl "{here}?scale-factor=10{when}"'
