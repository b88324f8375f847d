"""Moving pictures whose frames pass into one another."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from datacube.model.block import Image, RgbaImage
from datacube.render.composite import rgba_pixels

EACH = 50  # milliseconds of a picture in between


def steps_of(fade: int) -> int:
    """How many pictures stand between two frames in a fade of that many milliseconds."""
    return 0 if fade <= 0 else max(1, round(fade / EACH))


def crossfaded(
    images: Sequence[Image], durations: Sequence[int], fade: int
) -> Iterator[tuple[Image, int]]:
    """Pictures and durations, with a fade from each to the next at the end of its time.

    Parameters
    ----------
    images : all of the same size
    durations : milliseconds of each
    fade : int, milliseconds; at most as long as the shortest picture is shown

    Examples
    --------
    >>> frames = [RgbaImage(np.full((1, 1, 4), level, "uint8")) for level in (255, 55)]
    >>> [(one.pixels[0, 0, 3].item(), ms) for one, ms in crossfaded(frames, [200, 200], 50)]
    [(255, 150), (155, 50), (55, 200)]
    """
    steps = steps_of(fade)
    for (one, shown), (other, _) in pairwise(zip(images, durations, strict=True)):
        if shown > fade:
            yield one, shown - fade
        for step in range(1, steps + 1):
            yield blended(one, other, step / (steps + 1)), max(1, round(fade / steps))
    if images:
        yield images[-1], durations[-1]


def blended(one: Image, other: Image, share: float) -> RgbaImage:
    """A picture between two, of which the other has a share of 0 … 1; clear where both are."""
    first, second = (rgba_pixels(image).astype(np.float32) for image in (one, other))
    first[..., :3] *= first[..., 3:]
    second[..., :3] *= second[..., 3:]
    first += np.float32(share) * (second - first)
    first[..., :3] /= np.maximum(first[..., 3:], 1e-3)
    return RgbaImage(np.rint(first).astype(np.uint8))
