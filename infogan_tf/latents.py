"""The latent codes c and the incompressible noise z, declared once.

Everything about a code follows from its declaration: how it is drawn, the columns it
takes in the generator's input, the columns Q needs to describe it, its entropy H(c)
and log Q(c|x) in nats, the values a sweep shows, the inputs of the SavedModel.

A code's *value* is what a user handles: an int32 category or a float32 number, one per
example, shape [batch]. Its *encoding* is what the generator reads: [batch, width].
"""

import abc
import dataclasses
import math
import re
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from infogan_tf.errors import InfoGANError

_RESERVED = ("noise", "seed", "images", "code", "logits")


@dataclasses.dataclass(frozen=True)
class Code(abc.ABC):
    """One latent code c_i with a known prior P(c_i), independent of the others.

    Args:
        name: how logs, sweeps, metrics and SavedModel inputs call it, e.g. "c1".
        mi_weight: the paper's lambda for this code, at least 0.
        mi_start: the part of the training, 0 to 1, before lambda counts; a code that
            comes late finds what the others stand for already taken.
    """

    name: str
    mi_weight: float = dataclasses.field(default=1.0, kw_only=True)
    mi_start: float = dataclasses.field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name) or self.name in _RESERVED:
            raise InfoGANError(
                f'"{self.name}" cannot name a latent code: use small letters, digits and '
                f"underscores, and none of {', '.join(_RESERVED)}."
            )
        if not (math.isfinite(self.mi_weight) and self.mi_weight >= 0):
            raise InfoGANError(
                f"Code {self.name}: mi_weight (lambda) is {self.mi_weight}; it has to be "
                "a finite number that is not negative."
            )
        if not 0 <= self.mi_start < 1:
            raise InfoGANError(
                f"Code {self.name}: mi_start is {self.mi_start}; it has to be a part of "
                "the training, from 0 to less than 1."
            )

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """Columns of the generator's input."""

    @property
    @abc.abstractmethod
    def recognition_width(self) -> int:
        """Columns of Q's output."""

    @property
    @abc.abstractmethod
    def entropy(self) -> float:
        """H(c) in nats (differential entropy for a continuous code)."""

    @property
    @abc.abstractmethod
    def discrete(self) -> bool:
        """Whether there are finitely many values."""

    @property
    @abc.abstractmethod
    def max_information(self) -> float:
        """The most nats L_I can reach: Q is right, and as sure of it as it can be."""

    @abc.abstractmethod
    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws [count] values from the prior; `seed` is int32 [2]."""

    @abc.abstractmethod
    def encode(self, value: tf.Tensor) -> tf.Tensor:
        """Turns values [batch] into the generator's columns, float32 [batch, width]."""

    @abc.abstractmethod
    def posterior(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads Q's raw columns [batch, recognition_width] as named parameters."""

    @abc.abstractmethod
    def log_prob(self, value: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Log Q(c = value | x) in nats, float32 [batch], from Q's raw columns."""

    @abc.abstractmethod
    def sweep_values(self, steps: int) -> np.ndarray:
        """The values a latent sweep shows, in order, shape [<= steps]."""

    def domain(self) -> tuple[float, float]:
        """The smallest and the largest value that a caller may ask for."""
        return (-math.inf, math.inf)

    def require_possible(self, value: np.ndarray) -> None:
        """Raises InfoGANError where a number is not one that this code can have."""
        low, high = self.domain()
        numbers = value.dtype.kind in "biuf"
        if not (numbers and np.all(np.isfinite(value) & (low <= value) & (value <= high))):
            raise InfoGANError(
                f"{self.name} takes finite numbers between {low} and {high}, and was "
                f"given {value}."
            )


class _Discrete(Code):
    """What codes with finitely many values share; Q outputs one logit per value."""

    discrete = True

    @property
    def max_information(self) -> float:
        return self.entropy

    @property
    def recognition_width(self) -> int:
        return self.values

    @property
    @abc.abstractmethod
    def values(self) -> int:
        """How many values there are: 0 .. values - 1."""

    def posterior(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": tf.nn.softmax(outputs)}  # [batch, values]

    def log_prob(self, value: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(value, outputs)

    def sweep_values(self, steps: int) -> np.ndarray:
        return np.arange(self.values, dtype=np.int32)

    def domain(self) -> tuple[float, float]:
        return (0, self.values - 1)

    def require_possible(self, value: np.ndarray) -> None:
        super().require_possible(value)
        if (value % 1).any():
            raise InfoGANError(f"{self.name} takes whole numbers, and was given {value}.")


@dataclasses.dataclass(frozen=True)
class Categorical(_Discrete):
    """One of `categories` values, all equally likely: c ~ Cat(K, p = 1/K)."""

    categories: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.categories, int) and self.categories >= 2):
            raise InfoGANError(
                f"Code {self.name}: {self.categories} categories; it takes a whole number "
                "of at least 2."
            )

    @property
    def values(self) -> int:
        return self.categories

    @property
    def width(self) -> int:
        return self.categories

    @property
    def entropy(self) -> float:
        return math.log(self.categories)

    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform(
            [count], seed, 0, self.categories, tf.int32, alg="philox"
        )

    def encode(self, value: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(value, self.categories)


@dataclasses.dataclass(frozen=True)
class Bernoulli(_Discrete):
    """0 or 1, and 1 with the given probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.probability < 1:
            raise InfoGANError(
                f"Code {self.name}: probability {self.probability}; it has to lie "
                "between 0 and 1, both excluded."
            )

    @property
    def values(self) -> int:
        return 2

    @property
    def width(self) -> int:
        return 1

    @property
    def entropy(self) -> float:
        p = self.probability
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        uniform = tf.random.stateless_uniform([count], seed, alg="philox")
        return tf.cast(uniform < self.probability, tf.int32)

    def encode(self, value: tf.Tensor) -> tf.Tensor:
        return tf.cast(value, tf.float32)[:, tf.newaxis]


NARROWEST, WIDEST = 0.1, 2.0  # that a learned deviation can be, in spreads of the prior


@dataclasses.dataclass(frozen=True)
class _Continuous(Code):
    """What real-valued codes share: Q is a normal distribution.

    The paper's Q outputs a mean and a standard deviation exp(output) (Appendix C). Left
    alone that exponential collapses or explodes, so the logarithm is bent smoothly between
    `NARROWEST` and `WIDEST` spreads of the prior; well inside that range it is the paper's.

    L_I is at most H(c) - log(sigma sqrt(2 pi)), reached where Q's mean is right and sigma
    as small as it can be. A learned deviation rewards ever finer detail up to there, and
    the code goes on taking from the picture what other codes stand for. A fixed one makes
    the objective the squared error of the mean over 2 sigma^2, and ends it sooner.

    Args:
        q_stddev: Q's standard deviation, where it is fixed; None: Q learns it.
    """

    q_stddev: float | None = dataclasses.field(default=None, kw_only=True)

    discrete = False
    width = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.q_stddev is not None and not 0 < self.q_stddev < math.inf:
            raise InfoGANError(
                f"Code {self.name}: q_stddev is {self.q_stddev}; it has to be a finite "
                "number above 0, or absent."
            )

    @property
    def recognition_width(self) -> int:
        return 2 if self.q_stddev is None else 1  # mean, log standard deviation

    @property
    @abc.abstractmethod
    def center(self) -> float:
        """Mean of the prior."""

    @property
    @abc.abstractmethod
    def spread(self) -> float:
        """Standard deviation of the prior."""

    @property
    def max_information(self) -> float:
        least = self.q_stddev or NARROWEST * self.spread
        return self.entropy - math.log(least * math.sqrt(2 * math.pi))

    def encode(self, value: tf.Tensor) -> tf.Tensor:
        return tf.cast(value, tf.float32)[:, tf.newaxis]

    def _mean_and_log_stddev(self, outputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if self.q_stddev is not None:
            mean = outputs[:, 0]
            return mean, tf.fill(tf.shape(mean), math.log(self.q_stddev))
        mean, raw = tf.unstack(outputs, axis=-1)
        low, high = math.log(NARROWEST * self.spread), math.log(WIDEST * self.spread)
        raw = tf.clip_by_value(raw, low - 15.0, high + 15.0)  # flat to 3e-7 beyond
        # bent smoothly between `low` and `high`; close to the raw value in the middle
        return mean, low + tf.nn.softplus(raw - low) - tf.nn.softplus(raw - high)

    def posterior(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        mean, log_stddev = self._mean_and_log_stddev(outputs)
        return {"mean": mean, "stddev": tf.exp(log_stddev)}  # each [batch]

    def log_prob(self, value: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        mean, log_stddev = self._mean_and_log_stddev(outputs)
        standard = (value - mean) * tf.exp(-log_stddev)
        return -0.5 * standard**2 - log_stddev - 0.5 * math.log(2 * math.pi)


@dataclasses.dataclass(frozen=True)
class Uniform(_Continuous):
    """A real number, uniform between `low` and `high`.

    Sweeps show twice that range, as the paper does (trained on [-1, 1], swept over
    [-2, 2], Figure 2).
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -math.inf < self.low < self.high < math.inf:
            raise InfoGANError(
                f"Code {self.name}: low {self.low} has to be smaller than high "
                f"{self.high}, and both finite."
            )

    @property
    def entropy(self) -> float:
        return math.log(self.high - self.low)

    @property
    def center(self) -> float:
        return (self.low + self.high) / 2

    @property
    def spread(self) -> float:
        return (self.high - self.low) / math.sqrt(12)

    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform([count], seed, self.low, self.high, alg="philox")

    def sweep_values(self, steps: int) -> np.ndarray:
        reach = self.high - self.low  # twice the half-width
        return np.linspace(
            self.center - reach, self.center + reach, steps, dtype=np.float32
        )


@dataclasses.dataclass(frozen=True)
class Gaussian(_Continuous):
    """A real number from N(mean, stddev^2); sweeps show two deviations either side."""

    mean: float = 0.0
    stddev: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 < self.stddev < math.inf and math.isfinite(self.mean)):
            raise InfoGANError(
                f"Code {self.name}: stddev {self.stddev} has to be larger than 0, and mean "
                f"{self.mean} a number, both finite."
            )

    @property
    def entropy(self) -> float:
        return 0.5 * math.log(2 * math.pi * math.e * self.stddev**2)

    @property
    def center(self) -> float:
        return self.mean

    @property
    def spread(self) -> float:
        return self.stddev

    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal(
            [count], seed, self.mean, self.stddev, alg="philox"
        )

    def sweep_values(self, steps: int) -> np.ndarray:
        reach = 2 * self.stddev
        return np.linspace(self.mean - reach, self.mean + reach, steps, dtype=np.float32)


@dataclasses.dataclass(frozen=True)
class Noise:
    """The incompressible noise z: `size` numbers, U(-1, 1) or N(0, 1)."""

    size: int
    distribution: str = "uniform"

    def __post_init__(self) -> None:
        if not (isinstance(self.size, int) and self.size >= 1):
            raise InfoGANError(
                f"Noise of size {self.size}: it takes a whole number of at least 1."
            )
        if self.distribution not in ("uniform", "normal"):
            raise InfoGANError(
                f'Noise "{self.distribution}": the distribution is "uniform" or "normal".'
            )

    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws float32 [count, size]; `seed` is int32 [2]."""
        if self.distribution == "normal":
            return tf.random.stateless_normal([count, self.size], seed, alg="philox")
        return tf.random.stateless_uniform(
            [count, self.size], seed, -1.0, 1.0, alg="philox"
        )


@dataclasses.dataclass(frozen=True)
class LatentSpace:
    """The list of codes c_1 .. c_L and the noise z: everything G reads, all Q explains.

    `latents` below is a mapping from each code's name to its values [batch] and from
    "noise" to float32 [batch, noise.size].
    """

    codes: tuple[Code, ...]
    noise: Noise

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", tuple(self.codes))
        names = [code.name for code in self.codes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InfoGANError(f"Two latent codes are called {', '.join(twice)}.")

    @property
    def width(self) -> int:
        """Columns of the generator's input: every code's and the noise's."""
        return sum(code.width for code in self.codes) + self.noise.size

    @property
    def recognition_width(self) -> int:
        """Columns of Q's output."""
        return sum(code.recognition_width for code in self.codes)

    @property
    def entropy(self) -> float:
        """H(c) in nats; the codes are independent, so it is the sum of theirs."""
        return sum(code.entropy for code in self.codes)

    def __getitem__(self, name: str) -> Code:
        for code in self.codes:
            if code.name == name:
                return code
        raise InfoGANError(
            f'There is no latent code "{name}"; there are '
            f"{', '.join(code.name for code in self.codes) or 'none'}."
        )

    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Draws `count` examples of every code and of the noise from (int32 [2]) seed.

        The same seed gives the same draw; a code's draw does not depend on the codes
        that were declared beside it, but on its place in the list.
        """
        fold_in = tf.random.experimental.stateless_fold_in
        latents = {"noise": self.noise.sample(count, fold_in(seed, 0))}
        for index, code in enumerate(self.codes, start=1):
            latents[code.name] = code.sample(count, fold_in(seed, index))
        return latents

    def encode(self, latents: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The generator's input: codes in order, then noise; float32 [batch, width]."""
        columns = [code.encode(latents[code.name]) for code in self.codes]
        return tf.concat([*columns, latents["noise"]], axis=1)

    def split(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Cuts Q's output [batch, recognition_width] into each code's columns."""
        widths = [code.recognition_width for code in self.codes]
        parts = tf.split(outputs, widths, axis=1)
        return {code.name: part for code, part in zip(self.codes, parts, strict=True)}

    def log_prob(
        self, latents: Mapping[str, tf.Tensor], outputs: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Log Q(c_i|x) in nats for each code, float32 [batch]."""
        parts = self.split(outputs)
        return {
            code.name: code.log_prob(latents[code.name], parts[code.name])
            for code in self.codes
        }

    def posterior(self, outputs: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """Q(c|x) read as parameters: {code: {"probabilities"} or {"mean", "stddev"}}."""
        parts = self.split(outputs)
        return {code.name: code.posterior(parts[code.name]) for code in self.codes}
