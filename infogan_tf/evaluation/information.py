"""The bound L_I measured on images drawn afresh, with its standard error."""

import dataclasses

import numpy as np
import tensorflow as tf

from infogan_tf import mutual_information
from infogan_tf.evaluation.batches import BATCH
from infogan_tf.models import InfoGAN


@dataclasses.dataclass(frozen=True)
class Information:
    """L_I of one code in nats: the mean over fresh images and its standard error."""

    nats: float
    standard_error: float


def measure(
    model: InfoGAN, *, count: int = 10_000, seed: int = 0
) -> dict[str, Information]:
    """Estimates L_I for every code, from `count` generated images that Q reads.

    Both networks are used as they are served: with the moving averages, G's image given
    to Q as it is (no channel). Those averages are of real images, so this Q is the one
    that reads real ones; another normalisation could only be another bound.

    Args:
        model: what to measure.
        count: generated images; the standard error falls with its square root.
        seed: of the draws, none of which training ever makes.
    """
    bounds = {code.name: [] for code in model.latents.codes}
    for place in range(0, count, BATCH):
        draw = tf.constant([seed, -1 - place], tf.int32)
        for name, bound in _bounds(model, min(BATCH, count - place), draw).items():
            bounds[name].append(bound.numpy())
    return {name: _summary(np.concatenate(parts)) for name, parts in bounds.items()}


@tf.function(reduce_retracing=True)
def _bounds(model: InfoGAN, count: int, seed: tf.Tensor) -> dict[str, tf.Tensor]:
    latents = model.latents.sample(count, seed)
    outputs = model.read(model.generate_images(latents))
    return mutual_information.variational_bound(model.latents, latents, outputs)


def _summary(bounds: np.ndarray) -> Information:
    error = bounds.std(ddof=1) / np.sqrt(len(bounds))
    return Information(float(bounds.mean()), float(error))
