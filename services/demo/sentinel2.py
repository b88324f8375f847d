"""Simulated Sentinel-2 L2A products, written as SAFE folders with lossless JPEG 2000 images.

They are for trying the server without an archive at hand; nothing in them was observed, and every
document of them says so. The grid is a cut-out of tile 32UPU (UTM zone 32 north) in its 10 m cells.
"""

import datetime as dt
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from services.demo.fetch import silent
from services.demo.identity import NOTICE, Identity, images
from services.demo.manifest import StoredFile, manifest_document
from services.demo.metadata import product_document, tile_document
from services.demo.scene import CELL, PASSES, SEED, SIZE, Pass, Scene, land_of, make_scene

TILE = "32UPU"
EPSG = 32632
CORNER = (660_000, 5_364_000)
BASELINE = "05.11"
RELATIVE_ORBIT = 22


def make_series(
    folder: Path,
    *,
    size: int = SIZE,
    seed: int = SEED,
    passes: Sequence[Pass] = PASSES,
    report: Callable[[str], None] = silent,
) -> tuple[Path, ...]:
    """Make the products that are not in the folder yet.

    Parameters
    ----------
    folder : pathlib.Path
        Where the SAFE folders go; made if absent.
    size : int
        Cells of 10 m along a side, a multiple of 6.
    seed : int
        The same seed and size give the same pixels.
    passes : sequence of Pass
    report : callable
        Called with a line for each product made.

    Returns
    -------
    tuple of pathlib.Path
        The SAFE folders, in the order of ``passes``.

    Raises
    ------
    ValueError
        If ``size`` is no multiple of 6.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / identity_of(overpass).product for overpass in passes)
    missing = [pair for pair in zip(passes, paths, strict=True) if not pair[1].is_dir()]
    if not missing:
        return paths
    land = land_of(size, seed)
    for overpass, path in missing:
        write_product(make_scene(overpass, land, seed), path)
        report(f"simulated Sentinel-2 L2A of {overpass.start:%Y-%m-%d}: {path.name}")
    return paths


def identity_of(overpass: Pass) -> Identity:
    """Names and times of an overpass' product.

    Examples
    --------
    >>> identity_of(PASSES[0]).product
    'S2A_MSIL2A_20240405T101021_N0511_R022_T32UPU_20240405T160021.SAFE'
    """
    return Identity(
        spacecraft=overpass.spacecraft,
        sensed=overpass.start,
        generated=overpass.start + dt.timedelta(hours=5, minutes=50),
        orbit=overpass.orbit,
        relative_orbit=RELATIVE_ORBIT,
        tile=TILE,
        baseline=BASELINE,
    )


def write_product(scene: Scene, path: Path) -> None:
    """Write a scene as a SAFE folder, which appears whole or not at all.

    Parameters
    ----------
    scene : Scene
    path : pathlib.Path
        The folder to make; its parent exists.
    """
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=path.parent))
    try:
        _write_files(scene, draft)
        draft.chmod(0o755)
        draft.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_files(scene: Scene, folder: Path) -> None:
    identity = identity_of(scene.overpass)
    size = scene.bands["B02"].shape[0]
    jobs = [(folder / identity.image(band, cell), band, cell) for band, cell in images()]
    for target in {job[0].parent for job in jobs}:
        target.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: _write_image(scene, *job), jobs))
    quality = class_percentages(scene.classes)
    ring = _footprint(size)
    (folder / "MTD_MSIL2A.xml").write_bytes(product_document(identity, ring, quality))
    (folder / "GRANULE" / identity.granule / "MTD_TL.xml").write_bytes(
        tile_document(
            identity,
            epsg=EPSG,
            corner=CORNER,
            shapes={cell: size * CELL // cell for cell in (10, 20, 60)},
            sun=scene.overpass.sun,
            quality=quality,
        )
    )
    files = sorted(found for found in folder.rglob("*") if found.is_file())
    stored = [_stored(found, folder) for found in files]
    (folder / "manifest.safe").write_bytes(manifest_document(identity, ring, stored))


def _write_image(scene: Scene, path: Path, band: str, cell: int) -> None:
    values: NDArray[np.uint8] | NDArray[np.uint16]
    values = scene.classes if band == "SCL" else scene.bands[band]
    rows, columns = values.shape
    with rasterio.open(
        path,
        "w",
        driver="JP2OpenJPEG",
        width=columns,
        height=rows,
        count=1,
        dtype=values.dtype.name,
        crs=f"EPSG:{EPSG}",
        transform=Affine(cell, 0.0, CORNER[0], 0.0, -cell, CORNER[1]),
        QUALITY="100",
        REVERSIBLE="YES",
        YCBCR420="NO",
        WRITE_METADATA="YES",
    ) as image:
        image.update_tags(TIFFTAG_IMAGEDESCRIPTION=NOTICE)
        image.write(values, 1)


def class_percentages(classes: NDArray[np.uint8]) -> dict[int, float]:
    """Percentage of each scene class: of all cells for no data, of those with data for the rest.

    Examples
    --------
    >>> class_percentages(np.array([[0, 4], [4, 6]], np.uint8))[0]
    25.0
    >>> round(class_percentages(np.array([[0, 4], [4, 6]], np.uint8))[6], 2)
    33.33
    """
    counts = np.bincount(classes.ravel(), minlength=12)
    seen = max(int(counts[1:].sum()), 1)
    shares = {number: 100.0 * int(counts[number]) / seen for number in range(1, 12)}
    return {0: 100.0 * int(counts[0]) / classes.size, **shares}


def _footprint(size: int) -> tuple[tuple[float, float], ...]:
    """Closed ring of the cut-out's corners, longitude and latitude."""
    west, north = CORNER
    east, south = west + size * CELL, north - size * CELL
    transformer = Transformer.from_crs(EPSG, 4326, always_xy=True)
    ring = ((west, north), (east, north), (east, south), (west, south), (west, north))
    return tuple(transformer.transform(x, y) for x, y in ring)


def _stored(path: Path, folder: Path) -> StoredFile:
    content = path.read_bytes()
    name = path.relative_to(folder).as_posix()
    return StoredFile(name, len(content), hashlib.sha3_256(content).hexdigest())
