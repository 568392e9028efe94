"""Drawn shapes whose every factor is known: discs, squares and triangles."""

import numpy as np

from infogan_tf.data.images import ImageData, Split, hold_out

SHAPES = ("disc", "square", "triangle")
SCALES, PLACES = 5, 9


def load(image_shape: tuple[int, int, int]) -> ImageData:
    """1,215 images: each shape at 5 scales and 9 x 9 places, white on black.

    The label is the shape; the factors are shape, scale (half-width as a part of the
    image), x and y (of the middle, from -1 to 1). In an order that mixes all of them.
    """
    height, width, channels = image_shape
    grid = np.meshgrid(
        np.arange(len(SHAPES)),
        np.linspace(0.2, 0.4, SCALES),
        np.linspace(-0.5, 0.5, PLACES),
        np.linspace(-0.5, 0.5, PLACES),
        indexing="ij",
    )
    order = np.random.default_rng(0).permutation(grid[0].size)
    shape, scale, x, y = (values.ravel()[order] for values in grid)
    rows = np.linspace(-1, 1, height)[:, np.newaxis]
    columns = np.linspace(-1, 1, width)
    across = columns - x[:, np.newaxis, np.newaxis]  # [n, 1, width]
    down = rows - y[:, np.newaxis, np.newaxis]  # [n, height, 1]
    size = scale[:, np.newaxis, np.newaxis]
    distance = np.choose(  # below 0 inside, [n, height, width]
        shape[:, np.newaxis, np.newaxis],
        (
            np.hypot(across, down) - size,
            np.maximum(abs(across), abs(down)) - size,
            np.maximum(2 * abs(across) - down - size, down - size) / 2,
        ),
    )
    pixel = 2 / min(height, width)
    grey = np.rint(255 * np.clip(0.5 - distance / pixel, 0, 1)).astype(np.uint8)
    images = np.repeat(grey[..., np.newaxis], channels, -1)
    factors = {"shape": shape, "scale": scale, "x": x, "y": y}
    return hold_out(Split(images, shape.astype(np.int64), factors), "drawn shapes")
