"""An independent judge of generated images: a small convnet trained on the labels.

It serves scoring alone, after a run has ended: it reads what a generated image shows, and
its penultimate layer is the feature space that images are compared in. Nothing that trains
a GAN ever sees it.

3x3 conv 32, ReLU, max pool; 3x3 conv 64, ReLU, max pool; FC 64, ReLU; FC labels. 1,800
updates with batches of 256 (eight passes over MNIST), but no more than thirty passes; Adam
from 2e-3 to 0 on a cosine.
"""

import contextlib
import dataclasses
import hashlib
import os

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.data import Split, cache
from infogan_tf.errors import InfoGANError
from infogan_tf.optimizers import Adam

FILTERS, FEATURES = (32, 64), 64
STEPS, PASSES, BATCH, LEARNING_RATE, SEED = 1_800, 30, 256, 2e-3, 0


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a classifier sees.

    Args:
        features: the penultimate layer after its ReLU, float32 [n, `FEATURES`].
        labels: the most probable label, int64 [n].
    """

    features: np.ndarray
    labels: np.ndarray


class Classifier:
    """A trained network [n, height, width, channels] in [0, 1] -> (features, logits)."""

    def __init__(self, network: keras.Model) -> None:
        self.network = network

    def read(self, images: np.ndarray) -> Reading:
        """Reads images, uint8 [n, height, width, channels]."""
        features, logits = self.network.predict(
            tf.data.Dataset.from_tensor_slices(images).batch(500).map(_to_unit), verbose=0
        )
        return Reading(features, logits.argmax(axis=1))


def cached(train: Split) -> Classifier:
    """The classifier of these training images: from the cache, or trained now.

    The cache is $INFOGAN_TF_CACHE, or ~/.cache/infogan_tf; a file is named after a digest
    of the images, the labels and this training's settings, and is whole or absent.

    Args:
        train: images with labels from 0.

    Raises:
        InfoGANError: the cache cannot be written.
    """
    network = _network(train)
    path = cache.home() / f"classifier-{_digest(train)}.weights.h5"
    # A damaged file is no reason to stop: train again, and write over it.
    with contextlib.suppress(OSError, ValueError, KeyError):
        if path.exists():
            network.load_weights(path)
            return Classifier(network)
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        network.save_weights(aside)  # learns now, not after minutes, that it cannot
        print("Training the classifier that judges the images, once.", flush=True)
        _fit(network, train)
        network.save_weights(aside)
        aside.replace(path)
    except OSError as error:
        raise InfoGANError(
            f"The classifier cannot be kept in {path.parent}: {error}. Make room there, or "
            f"name another folder in the variable {cache.VARIABLE}."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()
    return Classifier(network)


def _digest(train: Split) -> str:
    settings = (FILTERS, FEATURES, STEPS, PASSES, BATCH, LEARNING_RATE, SEED)
    digest = hashlib.sha256(repr((settings, train.images.shape)).encode())
    digest.update(np.ascontiguousarray(train.images))
    digest.update(np.ascontiguousarray(train.labels, np.int64))
    return digest.hexdigest()[:32]


def _network(train: Split) -> keras.Model:
    seeds = iter(np.random.SeedSequence(SEED).generate_state(4).tolist())

    def options(activation: str | None = "relu") -> dict:
        initial = keras.initializers.HeNormal(next(seeds))
        return {"kernel_initializer": initial, "activation": activation}

    images = hidden = keras.Input(train.images.shape[1:])
    for filters in FILTERS:
        hidden = keras.layers.Conv2D(filters, 3, padding="same", **options())(hidden)
        hidden = keras.layers.MaxPooling2D(padding="same")(hidden)
    features = keras.layers.Dense(FEATURES, **options())(keras.layers.Flatten()(hidden))
    logits = keras.layers.Dense(int(train.labels.max()) + 1, **options(None))(features)
    return keras.Model(images, [features, logits])


def _fit(network: keras.Model, train: Split) -> None:
    """The updates; the order of the images is drawn from `SEED`."""
    count, batch = len(train), min(BATCH, len(train))
    steps = min(STEPS, PASSES * count // batch)
    draw = np.random.default_rng(SEED)
    passes = -(-steps * batch // count)
    order = np.concatenate([draw.permutation(count) for _ in range(passes)])
    images, labels = tf.constant(train.images), tf.constant(train.labels)

    def gather(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _to_unit(tf.gather(images, rows)), tf.gather(labels, rows)

    batches = tf.data.Dataset.from_tensor_slices(order).batch(batch).take(steps)
    learner = keras.Model(network.input, network.output[1])
    learner.compile(
        Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    learner.fit(batches.map(gather).prefetch(2), shuffle=False, verbose=0)


def _to_unit(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0
