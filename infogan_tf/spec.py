"""What a model is, as data: frozen, checked when made, to and from JSON.

A `ModelSpec` names the images, the latent codes, the networks, the game and the numbers
of the training. Everything else in the project is derived from it.
"""

import dataclasses
import math
from typing import Any

from infogan_tf import blocks, games, latents
from infogan_tf.channel import CHANNELS, Channel, require_possible
from infogan_tf.errors import InfoGANError, did_you_mean
from infogan_tf.penalties import PENALTIES, Penalty, require_sensible


@dataclasses.dataclass(frozen=True)
class DataSpec:
    """Where images come from by default, and the form in which the networks want them.

    Args:
        name: a TFDS name or one of the built-in sources ("digits", "synthetic"); files in
            --data_dir stand in for either.
        image_shape: (height, width, channels) that images are brought to; 1 channel (grey)
            or 3 (RGB).
    """

    name: str
    image_shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_shape", tuple(self.image_shape))
        shape = self.image_shape
        if len(shape) != 3 or min(shape) < 1 or shape[2] not in (1, 3):
            raise InfoGANError(
                f"image_shape is {shape}; it has to be (height, width, channels), all "
                "positive, the channels 1 (grey) or 3 (RGB)."
            )


@dataclasses.dataclass(frozen=True)
class TrainSpec:
    """The numbers of a training.

    Args:
        steps: updates of the generator.
        batch_size: real images an update; as many are generated.
        critic_steps: updates of the discriminator for one of the generator, each on
            images of its own.
        labels: real images whose label the method learns from, equally many of each,
            drawn from `seed`; -1: all of them.
        optimizer: "adam", or "rmsprop", which knows no beta.
        generator_learning_rate: for G.
        discriminator_learning_rate: for the trunk, D and Q.
        decay: the last part of the training, 0 to 1, over which both learning rates fall
            linearly to 0.
        beta_1, beta_2: Adam's, for both.
        ema_decay: where given, an exponential moving average of G is kept beside it.
        seed: initial weights, order of the data and every draw are functions of it.
        precision: "float32" or "bfloat16" (computation; weights stay float32).
        jit_compile: "true" or "false": XLA or not; "auto": where Keras thinks it pays,
            which is not on a CPU. Its random numbers are others.
        log_every, checkpoint_every, sweep_every: in steps.
    """

    steps: int = 5_000
    batch_size: int = 128
    critic_steps: int = 1
    labels: int = 0
    optimizer: str = "adam"
    generator_learning_rate: float = 1e-3
    discriminator_learning_rate: float = 2e-4
    decay: float = 0.0
    beta_1: float = 0.5
    beta_2: float = 0.999
    ema_decay: float | None = None
    seed: int = 0
    precision: str = "float32"
    jit_compile: str = "auto"
    log_every: int = 50
    checkpoint_every: int = 500
    sweep_every: int = 500

    def __post_init__(self) -> None:
        def require(name: str, holds: bool, possible: str) -> None:
            if not holds:
                raise InfoGANError(
                    f"{name} is {getattr(self, name)}; it has to be {possible}."
                )

        for name in (
            "steps",
            "batch_size",
            "critic_steps",
            "log_every",
            "checkpoint_every",
            "sweep_every",
        ):
            value = getattr(self, name)
            whole = isinstance(value, int) and value >= 1
            require(name, whole, "a whole number of at least 1")
        require("batch_size", self.batch_size >= 2, "at least 2 (batch statistics)")
        whole = isinstance(self.labels, int) and self.labels >= -1
        require("labels", whole, "a number of images, 0 for none or -1 for all")
        enough = self.labels < 1 or self.labels >= self.critic_steps
        require("labels", enough, f"at least {self.critic_steps}, one for each critic step")
        for name in ("generator_learning_rate", "discriminator_learning_rate"):
            value = getattr(self, name)
            require(name, 0 < value < math.inf, "a finite number above 0")
        require("decay", 0 <= self.decay <= 1, "between 0 and 1")
        for name in ("beta_1", "beta_2"):
            require(name, 0 <= getattr(self, name) < 1, "in [0, 1)")
        decay = self.ema_decay
        require("ema_decay", decay is None or 0 < decay < 1, "between 0 and 1, or absent")
        whole = isinstance(self.seed, int) and 0 <= self.seed < 2**31
        require("seed", whole, "a whole number between 0 and 2147483647")
        for name, possible in (
            ("optimizer", ("adam", "rmsprop")),
            ("precision", ("float32", "bfloat16")),
            ("jit_compile", ("auto", "true", "false")),
        ):
            require(name, getattr(self, name) in possible, " or ".join(possible))

    @property
    def dtype_policy(self) -> str:
        """Keras's name for what the networks compute in."""
        return {"float32": "float32", "bfloat16": "mixed_bfloat16"}[self.precision]


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """One entry of the zoo.

    Args:
        name: `<dataset>_<method>`, with a suffix for a variant.
        description: one line for `tools/list_models.py`.
        method: a key of `infogan_tf.models.METHODS`.
        data: the images.
        latents: the codes c and the noise z.
        generator: blocks from [latents.width] to an image; its last activation fixes the
            range of pixel values that the networks work in.
        trunk: blocks that D and Q share, from an image on.
        recognition: blocks between the trunk and Q's output layer, possibly none.
        recognition_stddev: of the initial weights of that output layer. The larger, the
            sooner L_I rises, and the less G has learned of the images by then.
        decoder: blocks from the trunk's features to an image, where D reconstructs.
        game: what G and D play.
        penalties: what is added to it (see `infogan_tf.penalties`).
        training: its numbers.
        channels: noise between G and Q (see `infogan_tf.channel`).
    """

    name: str
    description: str
    method: str
    data: DataSpec
    latents: latents.LatentSpace
    generator: tuple[blocks.Block | blocks.Reshape, ...]
    trunk: tuple[blocks.Block | blocks.Flatten, ...]
    recognition: tuple[blocks.Block, ...] = ()
    recognition_stddev: float = blocks.WEIGHT_STDDEV
    decoder: tuple[blocks.Block | blocks.Reshape, ...] = ()
    game: games.Game = games.NonSaturating()  # noqa: RUF009  frozen
    penalties: tuple[Penalty, ...] = ()
    training: TrainSpec = TrainSpec()
    channels: tuple[Channel, ...] = ()

    def __post_init__(self) -> None:
        networks = "generator", "trunk", "recognition", "decoder"
        for name in (*networks, "penalties", "channels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        last = getattr(self.generator[-1], "activation", None) if self.generator else None
        if last not in PIXEL_RANGES:
            raise InfoGANError(
                f"{self.name}: the generator ends with the activation {last}; it has to be "
                f"{' or '.join(PIXEL_RANGES)}, which fixes the range of its pixels."
            )
        if not 0 < self.recognition_stddev < math.inf:
            raise InfoGANError(
                f"{self.name}: recognition_stddev is {self.recognition_stddev}; it has to "
                "be a finite number above 0."
            )
        require_possible(self.channels, self.latents)
        try:
            normalised = any(
                getattr(block, "batch_norm", False) for block in self.trunk + self.decoder
            )
            require_sensible(self.penalties, self.game, batch_norm=normalised)
        except InfoGANError as error:
            raise InfoGANError(f"{self.name}: {error}") from error

    @property
    def pixel_range(self) -> tuple[float, float]:
        """The values that black and white have inside the networks."""
        return PIXEL_RANGES[self.generator[-1].activation]

    def with_training(self, **numbers: Any) -> "ModelSpec":
        """The same model, trained with other numbers."""
        training = dataclasses.replace(self.training, **numbers)
        return dataclasses.replace(self, training=training)

    def playing(self, game: games.Game, chosen: tuple[Penalty, ...]) -> "ModelSpec":
        """The same model in another game; without batch normalisation if it has to be."""
        bare = {}
        if any(penalty.forbids_batch_norm for penalty in chosen):
            parts = "trunk", "decoder"
            bare = {name: blocks.unnormalised(getattr(self, name)) for name in parts}
        return dataclasses.replace(self, game=game, penalties=chosen, **bare)


PIXEL_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}

_TYPES = {
    kind.__name__: kind
    for kind in (
        *(ModelSpec, DataSpec, TrainSpec, latents.LatentSpace, latents.Noise),
        *(latents.Categorical, latents.Uniform, latents.Gaussian, latents.Bernoulli),
        *(blocks.Dense, blocks.Convolution, blocks.UpConvolution, blocks.Reshape),
        blocks.Flatten,
        *(type(game) for game in games.GAMES.values()),
        *(type(penalty) for penalty in PENALTIES.values()),
        *CHANNELS,
    )
}


def to_json(value: Any) -> Any:
    """Turns a spec, or any part of one, into what `json.dump` takes."""
    if dataclasses.is_dataclass(value):
        fields = {
            field.name: to_json(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
        return {"type": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value


def from_json(data: Any) -> Any:
    """The inverse of `to_json`; checks everything as a hand-written spec is checked.

    Raises:
        InfoGANError: an unknown type, a missing or unknown field, a bad value.
    """
    if isinstance(data, list):
        return tuple(from_json(item) for item in data)
    if not isinstance(data, dict):
        return data
    fields = {name: from_json(value) for name, value in data.items() if name != "type"}
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise InfoGANError(
            f'A spec has a part of type "{kind}"; possible are {", ".join(_TYPES)}.'
            f"{did_you_mean(str(kind), list(_TYPES))}"
        )
    try:
        return _TYPES[kind](**fields)
    except TypeError as error:
        raise InfoGANError(f"A spec's {kind} cannot be read: {error}.") from error
