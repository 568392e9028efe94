"""The adversarial games: what the discriminator and the generator each minimise.

A game has two sides and no state. Logits are the discriminator's raw output, any real
number, float32 [batch, 1]; D(x) = sigmoid(logit). Every loss is a scalar, the mean over
the batch, computed from logits so that it stays finite.
"""

import abc
import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Game(abc.ABC):
    """One value function V(D, G) as two losses to minimise."""

    @abc.abstractmethod
    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """What D minimises: a scalar in nats."""

    @abc.abstractmethod
    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """What G minimises: a scalar in nats."""


@dataclasses.dataclass(frozen=True)
class Minimax(Game):
    """min_G max_D E[log D(x)] + E[log(1 - D(G(z)))] (Goodfellow et al. 2014, eq. 1).

    G's gradient vanishes where D is sure; `NonSaturating` is what is used in practice.
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
