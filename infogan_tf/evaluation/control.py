"""What a code does to images: a measure of them, followed while the code is swept."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from infogan_tf.evaluation.correlation import spearman
from infogan_tf.models import GAN

VALUES, DRAWS = 11, 200  # of a sweep


@dataclasses.dataclass(frozen=True)
class Control:
    """How a measure follows a code.

    Args:
        correlation: Spearman's, of the code's value with the mean measure, in [-1, 1]; NaN
            for a discrete code, whose values have no order.
        change: of a continuous code, the mean measure at the highest value less that at the
            lowest; of a discrete one, the largest mean less the smallest.
    """

    correlation: float
    change: float


def controls(
    model: GAN,
    code_name: str,
    measure: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    *,
    seed: int = 0,
) -> dict[str, Control]:
    """How measures of generated images follow one code.

    A continuous code takes `VALUES` values over its prior: a uniform one from end to end
    (-1 to 1), a normal one as many standard deviations to either side, 1.73; a discrete one
    all it has. The same `DRAWS` examples of everything else, drawn from the prior, are
    generated at each. A measure that no image has at one of the values is left out.

    Args:
        model: the generator.
        code_name: which one.
        measure: named numbers [n] of images, float32 [n, height, width, channels] in
            [0, 1]; NaN where an image has none.
        seed: of the draws.
    """
    code = model.latents[code_name]
    if code.discrete:
        values = np.arange(code.values, dtype=np.int32)
    else:
        reach = np.sqrt(3) * code.spread
        values = np.linspace(
            code.center - reach, code.center + reach, VALUES, dtype=np.float32
        )
    latents = model.latents.sample(DRAWS, tf.constant([seed, 4], tf.int32))
    means: list[dict[str, float]] = []
    for value in values:
        latents[code_name] = tf.fill([DRAWS], value)
        measured = measure(model.generate_images(latents).numpy())
        means.append(
            {
                name: np.nanmean(numbers) if np.any(np.isfinite(numbers)) else np.nan
                for name, numbers in measured.items()
            }
        )
    found = {}
    for name in means[0]:
        mean = np.array([at_value[name] for at_value in means])
        if np.isnan(mean).any():
            continue
        if code.discrete:
            found[name] = Control(np.nan, float(np.ptp(mean)))
        else:
            found[name] = Control(spearman(values, mean), float(mean[-1] - mean[0]))
    return found
