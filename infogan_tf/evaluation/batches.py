"""The model at work, batch by batch: the images it draws, and what it reads in images."""

import numpy as np
import tensorflow as tf

from infogan_tf.models import GAN, InfoGAN

BATCH = 500


def draw(
    model: GAN, count: int, *, seed: int = 0, same_codes: int = 1
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images from the prior, and what they were made of.

    Args:
        model: the generator.
        count: of images.
        seed: of the draws.
        same_codes: so many images in a row share their codes, and differ in the noise; a
            divisor of `BATCH`.

    Returns:
        Each code's values [count] by name, and "noise" [count, size]; the images, uint8
        [count, height, width, channels], rounded to bytes as real ones are.
    """
    parts = []
    for place in range(0, count, BATCH):
        draws = tf.random.experimental.stateless_fold_in(
            tf.constant([seed, 3], tf.int32), place
        )
        latents = model.latents.sample(min(BATCH, count - place), draws)
        for code in model.latents.codes:
            first = np.arange(len(latents["noise"])) // same_codes * same_codes
            latents[code.name] = tf.gather(latents[code.name], first)
        images = np.rint(255 * np.clip(model.generate_images(latents), 0, 1))
        parts.append({**latents, "images": images.astype(np.uint8)})
    drawn = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return drawn, drawn.pop("images")


def read_codes(model: InfoGAN, images: np.ndarray) -> dict[str, np.ndarray]:
    """What Q reads in images (uint8 [n, H, W, C]), each code's values [n] by name.

    The most probable value of a discrete code (int64), the mean of a continuous one.
    """
    parts: dict[str, list[np.ndarray]] = {code.name: [] for code in model.latents.codes}
    for place in range(0, len(images), BATCH):
        posterior = model.recognize(
            images[place : place + BATCH].astype(np.float32) / 255.0
        )
        for name, found in posterior.items():
            discrete = "probabilities" in found
            parts[name].append(
                found["probabilities"].argmax(axis=1) if discrete else found["mean"]
            )
    return {name: np.concatenate(values) for name, values in parts.items()}


def classes(model: GAN, images: np.ndarray) -> np.ndarray:
    """The most probable class of each image (uint8 [n, H, W, C]), int64 [n]."""
    parts = []
    for place in range(0, len(images), BATCH):
        pixels = images[place : place + BATCH].astype(np.float32) / 255.0
        parts.append(model.classify(pixels).numpy().argmax(axis=1))
    return np.concatenate(parts)


def most_probable(model: InfoGAN, code_name: str, images: np.ndarray) -> np.ndarray:
    """The most probable category of each image (uint8 [n, H, W, C]), int64 [n]."""
    return read_codes(model, images)[code_name]
