"""The adversarial games: what the discriminator and the generator each minimise.

A game has two sides and no state. Logits are the discriminator's raw output, any real
number, float32 [batch, outputs]; where a game speaks of probabilities, D(x) =
sigmoid(logit), or the softmax of several logits. Every loss is a scalar, the mean over
the batch, computed from logits so that it stays finite.
"""

import abc
import dataclasses

import tensorflow as tf

from infogan_tf import replicas
from infogan_tf.errors import InfoGANError, did_you_mean, require_positive


@dataclasses.dataclass(frozen=True)
class Game(abc.ABC):
    """One value function V(D, G) as two losses to minimise.

    `played_with` says what the discriminator has to give: one "logit", an "energy" (an
    error of reconstruction, at least 0), or a logit for each of several "classes".
    """

    played_with = "logit"

    @property
    def outputs(self) -> int:
        """Columns of the discriminator's output."""
        return 1

    def realness(self, logits: tf.Tensor) -> tf.Tensor:
        """How real the discriminator finds the images, [batch]; larger is more real."""
        return logits[:, 0]

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


@dataclasses.dataclass(frozen=True)
class Wasserstein(Game):
    """D is a critic f; E f(x) - E f(G) is the distance (Arjovsky et al. 2017, WGAN).

    The distance is the earth mover's only while f's slope is bounded, so this game needs
    one of the penalties that bound it.
    """

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(fake_logits)


# --- D reconstructs ----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class EnergyMargin(Game):
    """D minimises E(x) + max(0, m - E(G)), G minimises E(G) (Zhao et al. 2016, EBGAN).

    Args:
        margin: m, beyond which D no longer raises the energy of generated images.
    """

    margin: float = 1.0

    played_with = "energy"

    def __post_init__(self) -> None:
        require_positive(self, "margin")

    def realness(self, energies: tf.Tensor) -> tf.Tensor:
        return -energies[:, 0]

    def discriminator_loss(
        self, real_energies: tf.Tensor, fake_energies: tf.Tensor
    ) -> tf.Tensor:
        pushed = tf.nn.relu(self.margin - fake_energies)
        return tf.reduce_mean(real_energies) + tf.reduce_mean(pushed)

    def generator_loss(self, fake_energies: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(fake_energies)


@dataclasses.dataclass(frozen=True)
class Equilibrium(Game):
    """D minimises L(x) - k L(G), G minimises L(G) (Berthelot et al. 2017, BEGAN).

    k holds the two errors at the ratio gamma. It is the one thing in a game that changes;
    the model keeps it.

    Args:
        gamma: E L(G) / E L(x) to be held; smaller is sharper and less diverse.
        rate: lambda_k, of k's own ascent.
    """

    gamma: float = 0.5
    rate: float = 0.001

    played_with = "equilibrium"

    def __post_init__(self) -> None:
        require_positive(self, "gamma", "rate")

    def realness(self, energies: tf.Tensor) -> tf.Tensor:
        return -energies[:, 0]

    def discriminator_loss(
        self, real_energies: tf.Tensor, fake_energies: tf.Tensor, k: tf.Tensor | float = 0.0
    ) -> tf.Tensor:
        return tf.reduce_mean(real_energies) - k * tf.reduce_mean(fake_energies)

    def generator_loss(self, fake_energies: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(fake_energies)

    def next_k(
        self, k: tf.Tensor | float, real_energies: tf.Tensor, fake_energies: tf.Tensor
    ) -> tf.Tensor:
        """K after this step, in [0, 1]: it grows while G does better than gamma asks."""
        ahead = self.gamma * tf.reduce_mean(real_energies) - tf.reduce_mean(fake_energies)
        return tf.clip_by_value(k + self.rate * ahead, 0.0, 1.0)

    def convergence(self, real_energies: tf.Tensor, fake_energies: tf.Tensor) -> tf.Tensor:
        """M = L(x) + |gamma L(x) - L(G)|, the measure of convergence; a scalar."""
        real_loss = tf.reduce_mean(real_energies)
        ahead = self.gamma * real_loss - tf.reduce_mean(fake_energies)
        return real_loss + tf.abs(ahead)


# --- D classifies ------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class CategoricalEntropy(Game):
    """D sorts real images into K classes and is unsure of generated ones (catGAN).

    D minimises -H[p(y)] + E H[p(y|x)] - E H[p(y|G)]: sure of each real image, all classes
    used alike. G minimises -H_G[p(y)] + E H[p(y|G)] (Springenberg 2015). Entropies in nats.

    Args:
        classes: K.
    """

    classes: int = 10

    played_with = "classes"

    def __post_init__(self) -> None:
        _require_classes(self)

    @property
    def outputs(self) -> int:
        return self.classes

    def realness(self, logits: tf.Tensor) -> tf.Tensor:
        return -_entropy(logits)

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        sure_of_real = tf.reduce_mean(_entropy(real_logits))
        sure_of_fake = tf.reduce_mean(_entropy(fake_logits))
        return -_marginal_entropy(real_logits) + sure_of_real - sure_of_fake

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        sure_of_fake = tf.reduce_mean(_entropy(fake_logits))
        return -_marginal_entropy(fake_logits) + sure_of_fake


@dataclasses.dataclass(frozen=True)
class ExtraClass(Game):
    """D has K classes and one more, "generated", the last one (Odena 2016, SGAN).

    D minimises -log(1 - p(generated|x)) - log p(generated|G), and G minimises -log(1 -
    p(generated|G)). The cross entropy of labelled images is the model's affair.

    Args:
        classes: K.
    """

    classes: int = 10

    played_with = "classes"

    def __post_init__(self) -> None:
        _require_classes(self)

    @property
    def outputs(self) -> int:
        return self.classes + 1

    def realness(self, logits: tf.Tensor) -> tf.Tensor:
        """The logit of "not generated", of all K classes together."""
        return tf.reduce_logsumexp(logits[:, :-1], axis=1) - logits[:, -1]

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        real, fake = self.realness(real_logits), self.realness(fake_logits)
        return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.nn.softplus(-self.realness(fake_logits)))


def _entropy(logits: tf.Tensor) -> tf.Tensor:
    """H of each row's softmax, in nats, [batch]."""
    return tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(logits), logits)


def _marginal_entropy(logits: tf.Tensor) -> tf.Tensor:
    """H of the batch's mean softmax, over all replicas, in nats."""
    probabilities = replicas.mean(tf.reduce_mean(tf.nn.softmax(logits), axis=0))
    return -tf.reduce_sum(probabilities * tf.math.log(probabilities + 1e-20))


def _require_classes(game: Game) -> None:
    if game.classes < 2:
        raise InfoGANError(
            f"{type(game).__name__}: {game.classes} classes; it takes at least 2."
        )


GAMES = {  # by the names of --game
    "non_saturating": NonSaturating(),
    "minimax": Minimax(),
    "least_squares": LeastSquares(),
    "hinge": Hinge(),
    "wasserstein": Wasserstein(),
    "energy_margin": EnergyMargin(),
    "equilibrium": Equilibrium(),
    "categorical_entropy": CategoricalEntropy(),
    "extra_class": ExtraClass(),
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
