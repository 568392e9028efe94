"""What continuous codes do to a digit: its slant and its width, measured in the image.

A grey image is read as a distribution of ink. With mu20, mu11 and mu02 its central second
moments (x to the right, y upwards, in pixels):

    slant = mu11 / mu02                        tangent of the lean; to the right is positive
    width = sqrt(mu20 - mu11^2 / mu02)         standard deviation of ink along x, in pixels,
                                               once the slant is sheared away
"""

import dataclasses

import numpy as np
import scipy.stats
import tensorflow as tf

from infogan_tf.models import GAN

VALUES, DRAWS = 11, 200  # of a sweep


@dataclasses.dataclass(frozen=True)
class Control:
    """How a measure follows a code.

    Args:
        correlation: Spearman's, of the code's value with the mean measure, in [-1, 1].
        change: the mean measure at the highest value less that at the lowest.
    """

    correlation: float
    change: float


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


def controls(model: GAN, code_name: str, *, seed: int = 0) -> dict[str, Control]:
    """How "slant" and "width" of generated digits follow one continuous code.

    The code takes `VALUES` values over its prior: a uniform one from end to end (-1 to 1),
    a normal one as many standard deviations to either side, 1.73. The same `DRAWS`
    examples of everything else, drawn from the prior, are generated at each.

    Args:
        model: of digits, [28, 28, 1] in [0, 1].
        code_name: of a continuous code.
        seed: of the draws.
    """
    code = model.latents[code_name]
    reach = np.sqrt(3) * code.spread
    values = np.linspace(code.center - reach, code.center + reach, VALUES, dtype=np.float32)
    latents = model.latents.sample(DRAWS, tf.constant([seed, 4], tf.int32))
    means = []
    for value in values:
        latents[code_name] = tf.fill([DRAWS], value)
        measured = slant_and_width(model.generate_images(latents).numpy())
        means.append([np.nanmean(one) for one in measured])
    return {
        name: Control(
            float(scipy.stats.spearmanr(values, mean).statistic), float(mean[-1] - mean[0])
        )
        for name, mean in zip(("slant", "width"), np.transpose(means), strict=True)
    }
