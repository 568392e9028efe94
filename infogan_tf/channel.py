"""Noisy channels between the generator and Q, so that codes stand for lasting things.

Q sees T(G(z, c)) instead of G(z, c), T a random change of the picture drawn anew for
every image. c -> G(z, c) -> T(G(z, c)) is a Markov chain, so by the data processing
inequality

    L_I(T) = E[log Q(c | T(G(z, c)))] + H(c)  <=  I(c; T(G(z, c)))  <=  I(c; G(z, c)):

the bound of the paper, still a bound on the same information, only looser. It can be
driven up only by what survives T. A category that says "a blob in the upper left" or
"slanted" does not; one that says which digit it is does. No label is involved.
"""

import abc
import dataclasses
import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from infogan_tf import replicas
from infogan_tf.errors import InfoGANError
from infogan_tf.latents import LatentSpace


@dataclasses.dataclass(frozen=True)
class Channel(abc.ABC):
    """A random change T of every image.

    Args:
        codes: names of the codes whose information goes through the channel; Q reads
            the others from the image itself. A code that several channels name goes
            through all of them, in the order they are declared in.
    """

    codes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", tuple(self.codes))

    @property
    def near_identity(self) -> bool:
        """Whether images as they are look like T's, so that Q can read them as well."""
        return True

    @abc.abstractmethod
    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Sends images in [0, 1], [batch, height, width, channels], through T.

        Differentiable in `images`; `seed` is int32 [2].
        """

    def expected(
        self, latents: Mapping[str, tf.Tensor], seed: tf.Tensor
    ) -> Mapping[str, tf.Tensor]:
        """What Q has to read from T(image), for the same seed: as a rule what was sent."""
        return latents

    def require_possible(self, latents: LatentSpace) -> None:
        """Raises InfoGANError where these latents do not have the channel's codes."""
        for code in self.codes:
            latents[code]  # raises where there is no such code


def _require_magnitudes(channel: Channel, *fields: str) -> None:
    """Raises InfoGANError where a field is negative or not finite."""
    for field in fields:
        if not 0 <= (value := getattr(channel, field)) < math.inf:
            raise InfoGANError(
                f"{type(channel).__name__}: {field} is {value}; it has to be a finite "
                "number that is not negative."
            )


@dataclasses.dataclass(frozen=True)
class RandomAffine(Channel):
    """T: a random rotation, scale, aspect, shear and shift of every image.

    Args:
        codes: see `Channel`.
        rotation: largest turn either way, in degrees.
        scale: largest relative change of size, e.g. 0.15 for +-15%.
        aspect: largest relative change of width against height.
        shear: largest horizontal shear, in widths per height.
        shift: largest shift along each axis, in pixels.
    """

    rotation: float = 20.0
    scale: float = 0.15
    aspect: float = 0.15
    shear: float = 0.3
    shift: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_magnitudes(self, "rotation", "scale", "aspect", "shear", "shift")

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Sends images [batch, height, width, channels] through T.

        What comes in from outside the picture is the nearest edge pixel. Bilinear, and
        differentiable in `images`; `seed` is int32 [2].
        """
        count, (height, width) = tf.shape(images)[0], images.shape[1:3]
        x, y = self._source(count, height, width, seed)  # [batch, height, width]
        pixels = tf.reshape(images, [count, height * width, images.shape[3]])

        def at(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
            place = tf.cast(row, tf.int32) * width + tf.cast(column, tf.int32)
            return tf.gather(pixels, place, batch_dims=1)

        left, above = tf.floor(x), tf.floor(y)
        right, below = tf.minimum(left + 1, width - 1), tf.minimum(above + 1, height - 1)
        across, down = (x - left)[..., tf.newaxis], (y - above)[..., tf.newaxis]
        upper = at(above, left) * (1 - across) + at(above, right) * across
        lower = at(below, left) * (1 - across) + at(below, right) * across
        return upper * (1 - down) + lower * down

    def _source(
        self, count: tf.Tensor, height: int, width: int, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Draws `count` affine maps: where in the image each pixel of T(image) lies.

        TensorFlow's own ImageProjectiveTransform is not used: its registered gradient is
        an image turned back, not the derivative.
        """

        def uniform(count: tf.Tensor) -> tf.Tensor:
            return tf.random.stateless_uniform(
                [6, count, 1, 1], seed, -1.0, 1.0, alg="philox"
            )

        draw = replicas.own_rows(uniform, count, axis=1)
        angle = draw[0] * (self.rotation * math.pi / 180)
        across = tf.exp(draw[1] * self.scale + draw[2] * self.aspect / 2)
        down = tf.exp(draw[1] * self.scale - draw[2] * self.aspect / 2)
        shear, dx, dy = draw[3] * self.shear, draw[4] * self.shift, draw[5] * self.shift
        cos, sin = tf.cos(angle), tf.sin(angle)
        # rotation x shear x scale, about the middle of the image
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        u = (tf.range(width, dtype=tf.float32) - middle_x) * across
        v = (tf.range(height, dtype=tf.float32)[:, tf.newaxis] - middle_y) * down
        x = cos * (u + shear * v) - sin * v + middle_x + dx
        y = sin * (u + shear * v) + cos * v + middle_y + dy
        return tf.clip_by_value(x, 0, width - 1), tf.clip_by_value(y, 0, height - 1)


@dataclasses.dataclass(frozen=True)
class RandomExposure(Channel):
    """T: every image is over-exposed by a random factor, so that only outlines are left.

    A code that survives cannot say how a thing is lit, nor what is painted on it.

    Args:
        codes: see `Channel`.
        least, most: pixels in [0, 1] are multiplied by a factor drawn between the two,
            evenly on a logarithmic scale, and cut at 1.
    """

    least: float = 6.0
    most: float = 24.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.least <= self.most < math.inf:
            raise InfoGANError(
                f"RandomExposure: least is {self.least} and most {self.most}; they have to "
                "be finite, at least 1, and least no more than most."
            )

    @property
    def near_identity(self) -> bool:
        return self.least == 1

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        def draw(count: tf.Tensor) -> tf.Tensor:
            limits, shape = (math.log(self.least), math.log(self.most)), [count, 1, 1, 1]
            return tf.random.stateless_uniform(shape, seed, *limits, alg="philox")

        factors = tf.exp(replicas.own_rows(draw, tf.shape(images)[0]))
        return tf.clip_by_value(images * factors, 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class RandomMirror(Channel):
    """T: every other image, at random, is mirrored, left for right or top for bottom.

    For images whose mirror images are as likely, as those of faces are, left for right. A
    code that survives is even: "looks to the left", or "lit from the left", says nothing
    after T. Of an odd code Q has to read the opposite from a mirrored image, so it can be
    nothing else. The coin is independent of c and T has an inverse, so this too bounds
    I(c; G(z, c)) from below.

    Args:
        codes: see `Channel`.
        odd: those of them whose sign changes; their priors are symmetric about 0.
        vertical: top for bottom.
    """

    odd: tuple[str, ...] = ()
    vertical: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "odd", tuple(self.odd))
        missing = [code for code in self.odd if code not in self.codes]
        if missing:
            raise InfoGANError(
                f"RandomMirror: {', '.join(missing)} cannot be odd without going through "
                f"it: add to codes, which are {', '.join(self.codes) or 'none'}."
            )

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        mirrored = self._coin(tf.shape(images)[0], seed)
        mirrored = mirrored[:, tf.newaxis, tf.newaxis, tf.newaxis]
        axis = 1 if self.vertical else 2
        return tf.where(mirrored, tf.reverse(images, [axis]), images)

    def expected(
        self, latents: Mapping[str, tf.Tensor], seed: tf.Tensor
    ) -> Mapping[str, tf.Tensor]:
        turned = {}
        for name in self.odd:
            values = latents[name]
            turned[name] = tf.where(self._coin(tf.shape(values)[0], seed), -values, values)
        return {**latents, **turned}

    def require_possible(self, latents: LatentSpace) -> None:
        super().require_possible(latents)
        for name in self.odd:
            if getattr(latents[name], "center", None) != 0:
                raise InfoGANError(
                    f'RandomMirror: the code "{name}" cannot be odd: it has to be a '
                    "continuous one whose prior is symmetric about 0."
                )

    def _coin(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Which images are mirrored, bool [count]."""

        def draw(count: tf.Tensor) -> tf.Tensor:
            return tf.random.stateless_uniform([count], seed, alg="philox")

        return replicas.own_rows(draw, count) < 0.5


@dataclasses.dataclass(frozen=True)
class WhiteNoise(Channel):
    """T: every pixel is given noise of its own.

    A code that survives changes much of the picture: one written into a few pixels, as
    into an outline, drowns.

    Args:
        codes: see `Channel`.
        stddev: the standard deviation of the noise, where pixels are in [0, 1].
    """

    stddev: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_magnitudes(self, "stddev")

    @property
    def near_identity(self) -> bool:
        return self.stddev == 0

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        def draw(count: tf.Tensor) -> tf.Tensor:
            shape = [count, *images.shape[1:]]
            return tf.random.stateless_normal(shape, seed, 0.0, self.stddev, alg="philox")

        return images + replicas.own_rows(draw, tf.shape(images)[0])


CHANNELS = (RandomAffine, RandomExposure, RandomMirror, WhiteNoise)


def require_possible(channels: Sequence[Channel], latents: LatentSpace) -> None:
    """Raises InfoGANError where these latents cannot go through these channels."""
    for channel in channels:
        channel.require_possible(latents)


@dataclasses.dataclass(frozen=True)
class Route(Channel):
    """T: channels one after another, the whole way from G to Q for some codes.

    Args:
        codes: see `Channel`.
        channels: the first one first.
    """

    channels: tuple[Channel, ...]

    @property
    def near_identity(self) -> bool:
        return all(channel.near_identity for channel in self.channels)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        for place, channel in enumerate(self.channels):
            images = channel(images, self._seed(seed, place))
        return images

    def expected(
        self, latents: Mapping[str, tf.Tensor], seed: tf.Tensor
    ) -> Mapping[str, tf.Tensor]:
        for place, channel in enumerate(self.channels):
            latents = channel.expected(latents, self._seed(seed, place))
        return latents

    def _seed(self, seed: tf.Tensor, place: int) -> tf.Tensor:
        return tf.random.experimental.stateless_fold_in(seed, place) if place else seed


def routes(channels: Sequence[Channel]) -> list[Route]:
    """The ways from G to Q: each code goes through every channel that names it, in order.

    Codes that the same channels name share a route; those of none have no route here.
    """
    codes: dict[tuple[Channel, ...], list[str]] = {}
    for name in dict.fromkeys(name for channel in channels for name in channel.codes):
        way = tuple(channel for channel in channels if name in channel.codes)
        codes.setdefault(way, []).append(name)
    return [Route(tuple(names), way) for way, names in codes.items()]
