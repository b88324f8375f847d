"""Pictures as a film: MP4 (H.264) by ffmpeg, which comes with the package imageio-ffmpeg.

The package is the optional extra ``video``.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from math import gcd
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidFormat
from datacube.model.block import Image, RgbImage
from datacube.render.composite import flatten, rgba_pixels

MP4 = "video/mp4"
_SHORTEST = 20  # milliseconds of a picture
_H264 = [
    *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18", "-preset", "veryfast"),
    *("-threads", "1", "-movflags", "+faststart"),
]


def has_video() -> bool:
    """Whether films can be made."""
    return find_spec("imageio_ffmpeg") is not None


def film(images: Sequence[Image], durations: Sequence[int]) -> bytes:
    """An MP4 that any browser plays.

    Parameters
    ----------
    images : sequence of Image, at least one, all of the same size
        Transparent parts become white; sides of an odd length grow by a pixel, which the format
        needs.
    durations : sequence of int, milliseconds
        Those of the first picture are the beat, and one that stays longer is shown again; where
        they differ, the beat is what they have in common.

    Raises
    ------
    InvalidFormat
        The package is not installed.
    """
    if not has_video():
        raise InvalidFormat(
            "this server makes no video/mp4: its extra 'video' is not installed", subject=MP4
        )
    import imageio_ffmpeg  # noqa: PLC0415  an optional package

    beat = _beat(durations)
    height, width = (side + side % 2 for side in images[0].shape)
    with TemporaryDirectory(prefix="film-") as folder:
        path = Path(folder) / "film.mp4"
        given = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        rate = ["-r", f"{1000 / beat:.6g}", "-i", "-"]
        program = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *given, *rate]
        with Popen([*program, *_H264, str(path)], stdin=PIPE) as encoder:  # noqa: S603  no shell
            assert encoder.stdin is not None  # noqa: S101  it is a pipe
            for image, duration in zip(images, durations, strict=True):
                pixels = _even(image, height, width).tobytes()
                for _ in range(max(round(duration / beat), 1)):
                    encoder.stdin.write(pixels)
        if encoder.returncode:
            raise OSError(f"ffmpeg ended with {encoder.returncode}")
        return path.read_bytes()


def _beat(durations: Sequence[int]) -> int:
    """Milliseconds of a picture in the film; the last may be shown longer than the others."""
    if len(set(durations[:-1])) <= 1:
        return max(durations[0], 1)
    return max(gcd(*durations), _SHORTEST)


def _even(image: Image, height: int, width: int) -> NDArray[np.uint8]:
    """Opaque pixels, the last row and column again where a side was odd: uint8, (y, x, 3)."""
    flat = flatten(image)
    pixels = flat.pixels if isinstance(flat, RgbImage) else rgba_pixels(flat)[..., :3]
    rows, columns = height - pixels.shape[0], width - pixels.shape[1]
    return np.ascontiguousarray(np.pad(pixels, ((0, rows), (0, columns), (0, 0)), mode="edge"))
