"""dSprites: white squares, ellipses and hearts on black, 64 x 64, by five factors.

Every combination of 3 shapes, 6 scales, 40 orientations, 32 places across and 32 down once:
737,280 images, whose order is that of the grid. The published archive is read where it is
given (Matthey et al. 2017, github.com/google-deepmind/dsprites-dataset); otherwise the same
grid is drawn here: a redraw, whose pixels are not the published ones. Decoded, they take
3 GB in the cache. A tenth, drawn once for all, is held out: every tenth in the order of the
grid would be every other place down.
"""

import dataclasses
import itertools
import math
import pathlib
import zipfile
from collections.abc import Iterator
from typing import IO

import numpy as np

from infogan_tf.data import cache
from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import InfoGANError

NAME = "dsprites"
FILES = "dsprites_ndarray*.npz"
SIZE = 64  # pixels
COUNTS = {"shape": 3, "scale": 6, "orientation": 40, "x": 32, "y": 32}
RANGES = {"scale": (0.5, 1.0), "orientation": (0.0, 2 * math.pi), "x": (0, 1), "y": (0, 1)}
# Of the redraw, in pixels at scale 1; no shape at any angle leaves the image.
HALF_SIDE, HALF_AXES, HEART = 11.0, (15.0, 9.0), 11.0
FIRST = 16  # pixel of the middle at x or y = 0; each step moves it by one


def found(data_dir: pathlib.Path) -> bool:
    """Says whether the path is the published archive, or a folder that holds it."""
    return _path(data_dir) is not None


def load(data_dir: pathlib.Path) -> ImageData:
    """Reads the published archive; a tenth of the images is held out.

    Raises:
        InfoGANError: it is not that archive, or damaged.
    """
    path = _path(data_dir)

    def examples() -> Iterator[cache.Example]:
        with zipfile.ZipFile(path) as archive, archive.open("imgs.npy") as file:
            _require(path, "imgs", _header(file), (len(classes), SIZE, SIZE), ("u1", "b1"))
            for row, split in zip(classes, _splits(len(classes)), strict=True):
                pixels = np.frombuffer(file.read(SIZE * SIZE), np.uint8)
                if pixels.max() > 1:
                    raise InfoGANError(
                        f"{path}: a pixel of imgs is {pixels.max()}, and has to be 0 or 1: "
                        "it is not the archive of dSprites."
                    )
                image = 255 * pixels.reshape(SIZE, SIZE, 1)
                yield cache.Example("", image, row, split)

    try:
        with zipfile.ZipFile(path) as archive, archive.open("latents_classes.npy") as file:
            shape, dtype = _header(file)
            _require(path, "latents_classes", (shape, dtype), (*shape[:1], 6), ("i8",))
            numbers = np.frombuffer(file.read(), dtype).reshape(shape)
            classes = numbers[:, 1:]  # the first is the colour, white
            for place, (name, count) in enumerate(COUNTS.items()):
                found = classes[:, place]
                if found.min() < 0 or found.max() >= count:
                    raise InfoGANError(
                        f"{path}: {name} is from {found.min()} to {found.max()}, and has "
                        f"to be from 0 to {count - 1}: it is not the archive of dSprites."
                    )
        return _with_ranges(
            cache.decode_once(
                NAME,
                f"dSprites in {data_dir}",
                [path],
                (SIZE, SIZE, 1),
                preprocessing="255 times the published 0 and 1",
                pictures=lambda: cache.Pictures(len(classes), examples(), tuple(COUNTS)),
            )
        )
    except InfoGANError:
        raise
    except Exception as error:  # NumPy runs Python's parser on what a header says
        raise InfoGANError(
            f"{path} cannot be read as the archive of dSprites ({error}): it is damaged, "
            "or another file; get it again."
        ) from error


def draw() -> ImageData:
    """Draws the grid; a tenth of the images is held out."""
    total = math.prod(COUNTS.values())

    def examples() -> Iterator[cache.Example]:
        grid = [range(count) for count in COUNTS.values()]
        splits = iter(_splits(total))
        for shape, scale, orientation in itertools.product(*grid[:3]):
            canvas = _canvas(
                shape, _value("scale", scale), _value("orientation", orientation)
            )
            for x, y in itertools.product(*grid[3:]):
                left, top = SIZE - FIRST - x, SIZE - FIRST - y
                image = canvas[top : top + SIZE, left : left + SIZE, np.newaxis]
                factors = (shape, scale, orientation, x, y)
                yield cache.Example("", image, factors, next(splits))

    return _with_ranges(
        cache.decode_once(
            NAME,
            "dSprites, redrawn (not the published pixels)",
            [],
            (SIZE, SIZE, 1),
            preprocessing=f"redrawn: {HALF_SIDE}, {HALF_AXES}, {HEART}, {FIRST}",
            pictures=lambda: cache.Pictures(total, examples(), tuple(COUNTS)),
        )
    )


def _splits(count: int) -> list[str]:
    """Which split each image belongs to."""
    held = np.random.default_rng(0).permutation(count) < count // 10
    return np.where(held, "test", "train").tolist()


def _canvas(shape: int, scale: float, orientation: float) -> np.ndarray:
    """The shape in the middle of twice the image, uint8 [128, 128], 0 and 255."""
    across, down = np.meshgrid(*[np.arange(2 * SIZE) - SIZE] * 2)
    cos, sin = math.cos(orientation) / scale, math.sin(orientation) / scale
    u, v = cos * across + sin * down, cos * down - sin * across
    if shape == 0:
        inside = np.maximum(abs(u), abs(v)) <= HALF_SIDE
    elif shape == 1:
        inside = (u / HALF_AXES[0]) ** 2 + (v / HALF_AXES[1]) ** 2 <= 1
    else:
        u, v = u / HEART, -v / HEART
        inside = (u**2 + v**2 - 1) ** 3 <= u**2 * v**3
    return np.where(inside, np.uint8(255), np.uint8(0))


def _value(factor: str, place: int | np.ndarray) -> float | np.ndarray:
    """The value at a place of the grid."""
    low, high = RANGES[factor]
    return low + (high - low) * place / (COUNTS[factor] - 1)


def _with_ranges(images: ImageData) -> ImageData:
    """Factors with an order as their values, float32; the shape stays a kind."""

    def ranged(split: Split) -> Split:
        factors = {
            name: _value(name, places).astype(np.float32) if name in RANGES else places
            for name, places in split.factors.items()
        }
        return dataclasses.replace(split, factors=factors)

    return images.with_splits(ranged)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array in .npy's format."""
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"an array is of version {version}")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran:
        raise ValueError("an array is in Fortran's order")
    return shape, dtype


def _require(
    path: pathlib.Path,
    name: str,
    received: tuple[tuple[int, ...], np.dtype],
    shape: tuple[int, ...],
    types: tuple[str, ...],
) -> None:
    if received[0] != shape or received[1].str[1:] not in types:
        raise InfoGANError(
            f"{path}: {name} is {received[1]} {list(received[0])}, and has to be "
            f"{np.dtype(types[0])} {list(shape)}: it is not the archive of dSprites."
        )


def _path(data_dir: pathlib.Path) -> pathlib.Path | None:
    if data_dir.is_file():
        return data_dir if data_dir.match(FILES) else None
    archives = sorted(data_dir.glob(FILES))
    return archives[0] if len(archives) == 1 else None
