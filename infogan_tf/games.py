"""The adversarial games: what the discriminator and the generator each minimise.

A game has two sides and no state. Logits are the discriminator's raw output, any real
number, float32 [batch, 1]; where a game speaks of probabilities, D(x) = sigmoid(logit).
Every loss is a scalar, the mean over the batch, computed from logits so that it stays
finite.
"""

import abc
import dataclasses

import tensorflow as tf

from infogan_tf.errors import InfoGANError, did_you_mean


@dataclasses.dataclass(frozen=True)
class Game(abc.ABC):
    """One value function V(D, G) as two losses to minimise."""

    @abc.abstractmethod
    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """What D minimises: a scalar."""

    @abc.abstractmethod
    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """What G minimises: a scalar."""


@dataclasses.dataclass(frozen=True)
class Minimax(Game):
    """min_G max_D E[log D(x)] + E[log(1 - D(G(z)))] (Goodfellow et al. 2014, eq. 1).

    In nats. G's gradient vanishes where D is sure; `NonSaturating` is what is used in
    practice.
    """

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        # Call the real images real.
        real_loss = tf.reduce_mean(tf.nn.softplus(-real_logits))  # -log sigmoid(logit)
        # Call the generated images fake.
        fake_loss = tf.reduce_mean(tf.nn.softplus(fake_logits))  # -log(1 - sigmoid)
        return real_loss + fake_loss

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        # Spoil what D gains on the generated images: log(1 - sigmoid(logit)).
        return -tf.reduce_mean(tf.nn.softplus(fake_logits))


@dataclasses.dataclass(frozen=True)
class NonSaturating(Minimax):
    """The same discriminator; G maximises log D(G(z)) (Goodfellow et al. 2014, sec. 3).

    The paper's game in practice: the same fixed point as `Minimax`, and a gradient that
    does not vanish while D is winning.
    """

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        # Have the generated images called real.
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))  # -log sigmoid(logit)


@dataclasses.dataclass(frozen=True)
class LeastSquares(Game):
    """D's logit is drawn towards a number for each kind of image (Mao et al. 2017, LSGAN).

    With real - generated = 2 and wanted half way between them, D at its optimum leaves G
    the Pearson chi^2 divergence between (p_real + p_G) and 2 p_G (its Section 3.2). The
    paper's other setting, (0, 1, 1), has G ask for D's real.

    Args:
        generated: a, what D says of generated images.
        real: b, what D says of real images.
        wanted: c, what G wants D to say of its images.
    """

    generated: float = -1.0
    real: float = 1.0
    wanted: float = 0.0

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        real_loss = tf.reduce_mean((real_logits - self.real) ** 2) / 2
        fake_loss = tf.reduce_mean((fake_logits - self.generated) ** 2) / 2
        return real_loss + fake_loss

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean((fake_logits - self.wanted) ** 2) / 2


@dataclasses.dataclass(frozen=True)
class Hinge(Game):
    """D is content with a margin of 1 on either side (Lim and Ye 2017, Geometric GAN)."""

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        real_loss = tf.reduce_mean(tf.nn.relu(1 - real_logits))
        fake_loss = tf.reduce_mean(tf.nn.relu(1 + fake_logits))
        return real_loss + fake_loss

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(fake_logits)


GAMES = {  # by the names of --game
    "non_saturating": NonSaturating(),
    "minimax": Minimax(),
    "least_squares": LeastSquares(),
    "hinge": Hinge(),
}


def find(name: str) -> Game:
    """The game of that name.

    Raises:
        InfoGANError: there is none; the message names all, and the closest.
    """
    if name not in GAMES:
        raise InfoGANError(
            f'Unknown game "{name}".{did_you_mean(name, list(GAMES))} There are '
            f"{', '.join(GAMES)}."
        )
    return GAMES[name]
