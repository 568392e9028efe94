"""The slant and the width of a digit, measured in the image.

A grey image is read as a distribution of ink. With mu20, mu11 and mu02 its central second
moments (x to the right, y upwards, in pixels):

    slant = mu11 / mu02                        tangent of the lean; to the right is positive
    width = sqrt(mu20 - mu11^2 / mu02)         standard deviation of ink along x, in pixels,
                                               once the slant is sheared away
"""

import numpy as np


def slant_and_width(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both measures of images [n, height, width, 1], light ink on black, each [n].

    They are NaN where they have no meaning: without ink, or with all of it in one row.
    """
    ink = images[..., 0].astype(np.float64)
    y = np.arange(ink.shape[1])[::-1, np.newaxis]  # upwards
    x = np.arange(ink.shape[2])
    with np.errstate(invalid="ignore", divide="ignore"):

        def mean(values: np.ndarray) -> np.ndarray:
            """Over the ink of each image, [n, 1, 1]."""
            total = ink.sum(axis=(1, 2), keepdims=True)
            return (ink * values).sum(axis=(1, 2), keepdims=True) / total

        across, up = x - mean(x), y - mean(y)
        mu20, mu11, mu02 = (
            mean(product)[:, 0, 0] for product in (across**2, across * up, up**2)
        )
        mu02 = np.where(mu02 > 1e-9, mu02, np.nan)
        return mu11 / mu02, np.sqrt(np.maximum(mu20 - mu11**2 / mu02, 0))
