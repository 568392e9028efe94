"""An independent judge of images: a small convnet taught what is known of real ones.

It serves scoring alone, after a run has ended: it reads what a generated image shows, and
its penultimate layer is the feature space that images are compared in. Nothing that trains
a GAN ever sees it.

3x3 conv 32, ReLU, max pool; 3x3 conv 64, ReLU, max pool; FC 64, ReLU; FC answers. 1,800
updates with batches of 256 (eight passes over MNIST), but no more than thirty passes; Adam
from 2e-3 to 0 on a cosine.
"""

import contextlib
import dataclasses
import hashlib
import warnings
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import files
from infogan_tf.data import Split, cache
from infogan_tf.errors import InfoGANError
from infogan_tf.optimizers import Adam

SMALLER = 32  # pixels: images of twice that and more are looked at nearer to this size
FILTERS, FEATURES = (32, 64), 64
STEPS, PASSES, BATCH, LEARNING_RATE, SEED = 1_800, 30, 256, 2e-3, 0
LABEL = "label"


@dataclasses.dataclass(frozen=True)
class Kinds:
    """A question with finitely many answers, `values`: cross entropy."""

    values: np.ndarray

    @property
    def columns(self) -> int:
        return len(self.values)

    def encode(self, truth: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.values, truth)

    def loss(self, encoded: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.cast(encoded, tf.int32), columns
        )

    def answer(self, columns: np.ndarray) -> np.ndarray:
        return self.values[columns.argmax(axis=1)]

    def score(self, truth: np.ndarray, answers: np.ndarray) -> float:
        """Accuracy."""
        return float(np.mean(truth == answers))


@dataclasses.dataclass(frozen=True)
class Amount:
    """A question answered by a number of this mean and deviation: the squared error."""

    mean: float
    stddev: float

    columns = 1

    def encode(self, truth: np.ndarray) -> np.ndarray:
        return (truth - self.mean) / self.stddev

    def loss(self, encoded: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        return (columns[:, 0] - encoded) ** 2 / 2

    def answer(self, columns: np.ndarray) -> np.ndarray:
        return columns[:, 0] * self.stddev + self.mean

    def score(self, truth: np.ndarray, answers: np.ndarray) -> float:
        """R^2: 1 at best, 0 for answering with the mean, or where there is one truth."""
        variety = np.sum((truth - truth.mean()) ** 2)
        return float(1 - np.sum((truth - answers) ** 2) / variety) if variety else 0.0


def known(split: Split) -> dict[str, np.ndarray]:
    """What is known of the images: `LABEL`, and the factors by name, each [n]."""
    labels = {} if split.labels is None else {LABEL: split.labels}
    return {**labels, **split.factors}


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a judge sees.

    Args:
        features: the penultimate layer after its ReLU, float32 [n, `FEATURES`].
        answers: the most probable label, and each factor, [n].
    """

    features: np.ndarray
    answers: Mapping[str, np.ndarray]


class Judge:
    """A trained network [n, height, width, channels] in [0, 1] -> (features, answers).

    Its digest is that of the images, of what is known of them and of its settings: what
    has another one sees in another space.
    """

    def __init__(
        self, network: keras.Model, questions: Mapping[str, Kinds | Amount], digest: str
    ) -> None:
        self.network = network
        self.questions = questions
        self.digest = digest

    def read(self, images: np.ndarray) -> Reading:
        """Reads images, uint8 [n, height, width, channels]."""
        features, columns = self.network.predict(
            tf.data.Dataset.from_tensor_slices(images).batch(500).map(_to_unit), verbose=0
        )
        parts = np.split(columns, _ends(self.questions.values())[:-1], axis=1)
        return Reading(
            features,
            {
                name: question.answer(part)
                for (name, question), part in zip(
                    self.questions.items(), parts, strict=True
                )
            },
        )


def cached(train: Split) -> Judge:
    """The judge taught by these training images: from the cache, or trained now.

    The cache is $INFOGAN_TF_CACHE, or ~/.cache/infogan_tf; a file is named after a digest
    of the images, what is known of them and this training's settings, and is whole or
    absent.

    Args:
        train: images with labels or factors. Whole numbers are kinds, others amounts.

    Raises:
        InfoGANError: the cache cannot be written.
    """
    questions = {name: _question(truth) for name, truth in known(train).items()}
    shape, columns = train.images.shape[1:], _ends(questions.values())[-1]
    digest = _digest(train)
    path = cache.home() / f"judge-{digest}.weights.h5"
    # A damaged file is no reason to stop: train again, and write over it.
    # Keras only warns of a layer that is not in the file.
    with (
        contextlib.suppress(OSError, ValueError, KeyError, UserWarning),
        warnings.catch_warnings(action="error", category=UserWarning),
    ):
        if path.exists():
            network = _network(shape, columns)
            network.load_weights(path)
            return Judge(network, questions, digest)
    network = _network(shape, columns)  # anew: a damaged file may have been read in part
    judge = Judge(network, questions, digest)
    try:
        with files.whole(path) as aside:
            network.save_weights(aside)  # learns now, not after minutes, that it cannot
            print("Training the network that judges the images, once.", flush=True)
            _fit(judge, train)
            network.save_weights(aside)
    except InfoGANError as error:
        raise InfoGANError(
            f"The network that judges images cannot be kept in {path.parent}: {error} "
            f"Make room there, or name another folder in the variable {cache.VARIABLE}."
        ) from error
    return judge


def _question(truth: np.ndarray) -> Kinds | Amount:
    if truth.dtype.kind == "f":
        return Amount(float(truth.mean()), float(truth.std()) or 1.0)
    return Kinds(np.unique(truth))


def _ends(questions: Sequence[Kinds | Amount]) -> list[int]:
    """Where each question's columns end."""
    return np.cumsum([question.columns for question in questions]).tolist()


def _digest(train: Split) -> str:
    settings = (FILTERS, FEATURES, STEPS, PASSES, BATCH, LEARNING_RATE, SEED)
    digest = hashlib.sha256(repr((settings, train.images.shape)).encode())
    digest.update(np.ascontiguousarray(train.images))
    for name, truth in known(train).items():
        digest.update(f"{name} {truth.dtype}".encode())
        digest.update(np.ascontiguousarray(truth))
    return digest.hexdigest()[:32]


def _network(image_shape: tuple[int, ...], columns: int) -> keras.Model:
    seeds = iter(np.random.SeedSequence(SEED).generate_state(4).tolist())

    def options(activation: str | None = "relu") -> dict:
        initial = keras.initializers.HeNormal(next(seeds))
        return {"kernel_initializer": initial, "activation": activation}

    images = hidden = keras.Input(image_shape)
    shrinking = min(image_shape[:2]) // SMALLER
    if shrinking > 1:
        hidden = keras.layers.AveragePooling2D(shrinking)(hidden)
    for filters in FILTERS:
        hidden = keras.layers.Conv2D(filters, 3, padding="same", **options())(hidden)
        hidden = keras.layers.MaxPooling2D(padding="same")(hidden)
    features = keras.layers.Dense(FEATURES, **options())(keras.layers.Flatten()(hidden))
    answers = keras.layers.Dense(columns, **options(None))(features)
    return keras.Model(images, [features, answers])


def _fit(judge: Judge, train: Split) -> None:
    """The updates; the order of the images is drawn from `SEED`."""
    count, batch = len(train), min(BATCH, len(train))
    steps = min(STEPS, PASSES * count // batch)
    draw = np.random.default_rng(SEED)
    passes = -(-steps * batch // count)
    order = np.concatenate([draw.permutation(count) for _ in range(passes)])
    questions, truths = list(judge.questions.values()), known(train).values()
    encoded = [q.encode(truth) for q, truth in zip(questions, truths, strict=True)]
    targets = tf.constant(np.stack(encoded, axis=1), tf.float32)  # [n, questions]

    def read(rows: np.ndarray) -> np.ndarray:
        return np.asarray(train.images[rows])  # from where they lie

    def gather(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.numpy_function(read, [rows], tf.uint8, stateful=False)
        images = tf.ensure_shape(images, [None, *train.images.shape[1:]])
        return _to_unit(images), tf.gather(targets, rows)

    def loss(targets: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        parts = tf.split(columns, [question.columns for question in questions], axis=1)
        return tf.add_n(
            [
                question.loss(targets[:, place], part)
                for place, (question, part) in enumerate(zip(questions, parts, strict=True))
            ]
        )

    batches = tf.data.Dataset.from_tensor_slices(order).batch(batch).take(steps)
    learner = keras.Model(judge.network.input, judge.network.output[1])
    learner.compile(
        Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)), loss
    )
    learner.fit(batches.map(gather).prefetch(2), shuffle=False, verbose=0)


def _to_unit(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0
