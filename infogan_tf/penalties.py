"""What is added to a game: bounds on the discriminator's slope, and a spread for G.

A penalty has no state and may act in three places: on D's objective, on G's objective,
and on D's weights after an update. `require_sensible` refuses what cannot work together.
"""

import abc
import dataclasses
from collections.abc import Callable, Iterable, Sequence

import keras
import tensorflow as tf

from infogan_tf import replicas
from infogan_tf.errors import InfoGANError, did_you_mean, require_positive
from infogan_tf.games import Game, Wasserstein

Critic = Callable[[tf.Tensor], tf.Tensor]  # images -> logits [batch, 1]


@dataclasses.dataclass(frozen=True)
class Penalty:
    """Something that does nothing, in all three places."""

    bounds_the_slope = False
    forbids_batch_norm = False  # a slope of D at one image, where batches have none

    def on_discriminator(
        self, critic: Critic, reals: tf.Tensor, fakes: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor | float:
        """What D minimises besides its loss: a scalar.

        Args:
            critic: D as a function of images.
            reals, fakes: [batch, height, width, channels], in the networks' range.
            seed: int32 [2].
        """
        return 0.0

    def on_generator(self, fake_features: tf.Tensor) -> tf.Tensor | float:
        """What G minimises besides its loss, from the trunk's [batch, features]."""
        return 0.0

    def after_update(self, variables: Iterable[keras.Variable]) -> None:
        """Changes D's weights once they have moved."""


@dataclasses.dataclass(frozen=True)
class WeightClipping(Penalty):
    """Keeps every weight of D within +-limit (WGAN, Arjovsky et al. 2017, Algorithm 1)."""

    limit: float = 0.01

    bounds_the_slope = True

    def __post_init__(self) -> None:
        require_positive(self, "limit")

    def after_update(self, variables: Iterable[keras.Variable]) -> None:
        for variable in variables:
            variable.assign(tf.clip_by_value(variable.value, -self.limit, self.limit))


@dataclasses.dataclass(frozen=True)
class SpectralNormalization(Penalty):
    """Every layer of D has a largest singular value of 1 (Miyato et al. 2018).

    The layers do it themselves: `blocks.build_network` wraps them in Keras's
    SpectralNormalization, one step of the power iteration for every pass. It divides the
    kernel in place, outside of the gradient, which is so that of the divided kernel.
    """

    bounds_the_slope = True
    forbids_batch_norm = True


class GradientPenalty(Penalty, abc.ABC):
    """A price on the slope of D, the norm of its gradient in the image."""

    bounds_the_slope = True
    forbids_batch_norm = True

    @abc.abstractmethod
    def points(self, reals: tf.Tensor, fakes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The images at which the slope is taken."""

    @abc.abstractmethod
    def price(self, squared_norms: tf.Tensor) -> tf.Tensor:
        """The scalar price of squared norms [batch]."""

    def on_discriminator(
        self, critic: Critic, reals: tf.Tensor, fakes: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        points = tf.stop_gradient(self.points(reals, fakes, seed))
        with tf.GradientTape() as tape:
            tape.watch(points)
            logits = critic(points)
        gradients = tape.gradient(logits, points)
        return self.price(tf.reduce_sum(gradients**2, axis=[1, 2, 3]))


@dataclasses.dataclass(frozen=True)
class WGANGP(GradientPenalty):
    """Weight * E(norm - 1)^2 between real and generated images (Gulrajani et al. 2017).

    Each point is drawn uniformly on the line from a real image to a generated one.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        require_positive(self, "weight")

    def points(self, reals: tf.Tensor, fakes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        place = replicas.own_rows(
            lambda count: tf.random.stateless_uniform([count, 1, 1, 1], seed, alg="philox"),
            tf.shape(reals)[0],
        )
        return reals + place * (fakes - reals)

    def price(self, squared_norms: tf.Tensor) -> tf.Tensor:
        return self.weight * _distance_from_one(squared_norms)


@dataclasses.dataclass(frozen=True)
class DRAGAN(GradientPenalty):
    """Weight * E(norm - 1)^2 around real images only (Kodali et al. 2017).

    A point is a real image plus noise: uniform in [0, 1), times half the standard
    deviation of the batch's pixels. The authors' code draws the same noise, and takes the
    slope a random part of the way to it.
    """

    weight: float = 10.0
    spread: float = 0.5

    def __post_init__(self) -> None:
        require_positive(self, "weight", "spread")

    def points(self, reals: tf.Tensor, fakes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        noise = replicas.own_rows(
            lambda count: tf.random.stateless_uniform(
                [count, *reals.shape[1:]], seed, alg="philox"
            ),
            tf.shape(reals)[0],
        )
        return reals + self.spread * tf.math.reduce_std(reals) * noise

    def price(self, squared_norms: tf.Tensor) -> tf.Tensor:
        return self.weight * _distance_from_one(squared_norms)


@dataclasses.dataclass(frozen=True)
class R1(GradientPenalty):
    """Weight / 2 * E norm^2 at real images (Mescheder et al. 2018, equation 9)."""

    weight: float = 10.0

    bounds_the_slope = True

    def __post_init__(self) -> None:
        require_positive(self, "weight")

    def points(self, reals: tf.Tensor, fakes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return reals

    def price(self, squared_norms: tf.Tensor) -> tf.Tensor:
        return self.weight / 2 * tf.reduce_mean(squared_norms)


@dataclasses.dataclass(frozen=True)
class PullingAway(Penalty):
    """Weight * the mean squared cosine of two generated images' features (EBGAN-PT).

    Over all pairs i != j (Zhao et al. 2016, equation 7): 0 where they are orthogonal, 1
    where all point the same way.
    """

    weight: float = 0.1

    def __post_init__(self) -> None:
        require_positive(self, "weight")

    def on_generator(self, fake_features: tf.Tensor) -> tf.Tensor:
        directions = tf.math.l2_normalize(fake_features, axis=1)
        cosines = tf.matmul(directions, directions, transpose_b=True)
        count = tf.cast(tf.shape(fake_features)[0], tf.float32)
        pairs = tf.reduce_sum(cosines**2) - tf.linalg.trace(cosines**2)
        return self.weight * pairs / (count * (count - 1))


def _distance_from_one(squared_norms: tf.Tensor) -> tf.Tensor:
    norms = tf.sqrt(squared_norms + 1e-12)  # the root has no slope at 0
    return tf.reduce_mean((norms - 1) ** 2)


PENALTIES = {  # by the names of --penalty
    "weight_clipping": WeightClipping(),
    "spectral_norm": SpectralNormalization(),
    "wgan_gp": WGANGP(),
    "dragan": DRAGAN(),
    "r1": R1(),
    "pulling_away": PullingAway(),
}


def find(names: str) -> tuple[Penalty, ...]:
    """The penalties of a list like "wgan_gp" or "r1,pulling_away"; none for "none".

    Raises:
        InfoGANError: there is none of a name; the message names all, and the closest.
    """
    if names == "none":
        return ()
    for name in names.split(","):
        if name not in PENALTIES:
            raise InfoGANError(
                f'Unknown penalty "{name}".{did_you_mean(name, list(PENALTIES))} There '
                f"are {', '.join(PENALTIES)}, and none."
            )
    return tuple(PENALTIES[name] for name in names.split(","))


def require_sensible(penalties: Sequence[Penalty], game: Game, *, batch_norm: bool) -> None:
    """Raises InfoGANError, with the reason, for a combination that cannot work.

    Args:
        penalties: all of one model.
        game: that is played.
        batch_norm: whether D normalises its batches.
    """
    bounds = [penalty for penalty in penalties if penalty.bounds_the_slope]
    names = [type(penalty).__name__ for penalty in penalties]
    if len(set(names)) < len(names):
        raise InfoGANError(f"A penalty is given twice: {', '.join(names)}.")
    if len(bounds) > 1:
        raise InfoGANError(
            f"{' and '.join(type(one).__name__ for one in bounds)} all bound the "
            "discriminator's slope, each to its own measure: keep one."
        )
    if isinstance(game, Wasserstein) and not bounds:
        raise InfoGANError(
            "Wasserstein's critic grows without bound unless its slope is bounded: add "
            "--penalty=wgan_gp, spectral_norm or weight_clipping."
        )
    for penalty in bounds:
        if penalty.forbids_batch_norm and batch_norm:
            raise InfoGANError(
                f"{type(penalty).__name__} bounds the discriminator's slope at each image, "
                "and batch normalisation makes its answer depend on the whole batch: "
                "declare its blocks with batch_norm=False."
            )
        if isinstance(penalty, GradientPenalty) and game.outputs > 1:
            raise InfoGANError(
                f"{type(penalty).__name__} needs one number for an image, and "
                f"{type(game).__name__}'s discriminator gives {game.outputs}."
            )
