"""Real images through their codes: read them, draw them again, change one code."""

import numpy as np
import tensorflow as tf

from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import read_codes
from infogan_tf.grid import Grid
from infogan_tf.models import InfoGAN
from infogan_tf.traversal import STEPS, captions

STARTS, UPDATES, LEARNING_RATE = 8, 200, 0.05


def nearest_noise(
    model: InfoGAN, images: np.ndarray, codes: dict[str, np.ndarray], *, seed: int = 0
) -> np.ndarray:
    """The noise with which G, given the codes, comes closest to each image.

    The mean squared error of the pixels is descended by Adam, from `STARTS` draws of the
    prior for each image; the best is kept. Uniform noise stays in [-1, 1].

    Args:
        model: with a trained G.
        images: float32 [n, height, width, channels] in [0, 1].
        codes: each code's values [n], by name.
        seed: of the starts.

    Returns:
        float32 [n, noise.size].
    """
    space, count = model.latents, len(images)
    targets = tf.repeat(tf.constant(images, tf.float32), STARTS, axis=0)
    kept = {name: tf.repeat(value, STARTS, axis=0) for name, value in codes.items()}
    draw = space.noise.sample(count * STARTS, tf.constant([seed, 5], tf.int32))
    noise, optimizer = tf.Variable(draw), tf.keras.optimizers.Adam(LEARNING_RATE)
    bounded = space.noise.distribution == "uniform"

    @tf.function
    def errors() -> tf.Tensor:
        drawn = model.generate_images({**kept, "noise": noise})
        return tf.reduce_mean((drawn - targets) ** 2, axis=[1, 2, 3])

    @tf.function
    def update() -> None:
        with tf.GradientTape() as tape:
            tape.watch(noise)
            total = tf.reduce_sum(errors())
        optimizer.apply_gradients([(tape.gradient(total, noise), noise)])
        if bounded:
            noise.assign(tf.clip_by_value(noise, -1.0, 1.0))

    for _ in range(UPDATES):
        update()
    best = errors().numpy().reshape(count, STARTS).argmin(axis=1)
    return noise.numpy().reshape(count, STARTS, -1)[np.arange(count), best]


def strips(model: InfoGAN, images: np.ndarray, *, seed: int = 0) -> dict[str, Grid]:
    """For each code a picture: real images, themselves drawn again, and the code swept.

    Args:
        model: with a Q.
        images: real ones, uint8 [n, height, width, channels].
        seed: of the search for the noise.

    Raises:
        InfoGANError: the model has no Q.
    """
    if not isinstance(model, InfoGAN):
        raise InfoGANError(
            f"{model.name} has no Q to read the codes of real images: use an InfoGAN."
        )
    codes = read_codes(model, images)
    images = np.float32(images) / 255
    latents = {**codes, "noise": nearest_noise(model, images, codes, seed=seed)}
    again = model.generate_images(_tensors(latents)).numpy()
    found = {}
    for code in model.latents.codes:
        values = code.sweep_values(STEPS)
        swept = {
            name: np.repeat(value, len(values), axis=0) for name, value in latents.items()
        }
        swept[code.name] = np.tile(values, len(images))
        drawn = model.generate_images(_tensors(swept)).numpy()
        drawn = drawn.reshape(len(images), len(values), *images.shape[1:])
        read_as = tuple(
            f"{code.name} = {value}" if code.discrete else f"{code.name} = {value:.2f}"
            for value in codes[code.name]
        )
        found[code.name] = Grid(
            f"{model.name}: real images, drawn again from their codes, {code.name} changed",
            np.concatenate([images[:, np.newaxis], again[:, np.newaxis], drawn], axis=1),
            read_as,
            ("real", "again", *captions(values)),
        )
    return found


def _tensors(latents: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in latents.items()}
