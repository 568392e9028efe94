"""The blocks that the paper's tables are written in, and the networks made of them.

A block is a line of such a table ("4 x 4 conv. 64 lRELU. stride 2. batchnorm"): plain
data, part of a model's declaration. `build_network` turns a column of them into Keras
layers. Images are [batch, height, width, channels].
"""

import dataclasses
from collections.abc import Iterator, Sequence

import keras
import numpy as np

from infogan_tf import layers
from infogan_tf.errors import InfoGANError

LEAKY_SLOPE = 0.1  # Appendix C: "leaky rectified linear units with leaky rate 0.1"
WEIGHT_STDDEV = 0.02  # the authors' code; the paper is silent
MOMENTUM = 0.9  # of the moving averages; at Keras's 0.99 they lag behind the weights
ACTIVATIONS = ("relu", "leaky_relu", "sigmoid", "tanh", "linear")


@dataclasses.dataclass(frozen=True)
class Block:
    """Weights, then batch normalisation where asked, then the activation.

    The order is that of the authors' code; the paper's tables print it the other way
    round. Weights followed by batch normalisation have no bias: its offset is one.
    """

    activation: str = dataclasses.field(kw_only=True)
    batch_norm: bool = dataclasses.field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise InfoGANError(
                f'Unknown activation "{self.activation}"; there are '
                f"{', '.join(ACTIVATIONS)}."
            )

    def weights(self, **options: object) -> keras.Layer:
        """The layer that holds this block's weights."""
        raise NotImplementedError

    def layers(
        self, name: str, seed: int, dtype: str, *, spectral_norm: bool = False
    ) -> Iterator[keras.Layer]:
        """This block as Keras layers, in order; weights drawn from `seed`."""
        weights = self.weights(
            use_bias=not self.batch_norm,
            kernel_initializer=keras.initializers.RandomNormal(0.0, WEIGHT_STDDEV, seed),
            dtype=dtype,
            name=name,
        )
        yield spectrally_normalised(weights) if spectral_norm else weights
        if self.batch_norm:
            yield layers.BatchNormalization(
                momentum=MOMENTUM, dtype=dtype, name=f"{name}_batch_norm"
            )
        if self.activation == "leaky_relu":
            yield keras.layers.LeakyReLU(LEAKY_SLOPE, dtype=dtype, name=f"{name}_lrelu")
        elif self.activation != "linear":
            yield keras.layers.Activation(
                self.activation, dtype=dtype, name=f"{name}_{self.activation}"
            )


@dataclasses.dataclass(frozen=True)
class Dense(Block):
    """`FC. units`; an image is flattened first."""

    units: int

    def weights(self, **options: object) -> keras.Layer:
        return layers.Dense(self.units, **options)

    def layers(
        self, name: str, seed: int, dtype: str, **options: bool
    ) -> Iterator[keras.Layer]:
        yield keras.layers.Flatten(dtype=dtype, name=f"{name}_flatten")
        yield from super().layers(name, seed, dtype, **options)


@dataclasses.dataclass(frozen=True)
class Convolution(Block):
    """`4 x 4 conv. filters`, stride 2 unless said: halves height and width."""

    filters: int
    kernel_size: int = 4
    stride: int = 2

    def weights(self, **options: object) -> keras.Layer:
        return layers.Conv2D(
            self.filters, self.kernel_size, self.stride, padding="same", **options
        )


@dataclasses.dataclass(frozen=True)
class UpConvolution(Block):
    """`4 x 4 upconv. filters`, stride 2 unless said: doubles height and width."""

    filters: int
    kernel_size: int = 4
    stride: int = 2

    def weights(self, **options: object) -> keras.Layer:
        return layers.Conv2DTranspose(
            self.filters, self.kernel_size, self.stride, padding="same", **options
        )


@dataclasses.dataclass(frozen=True)
class Reshape:
    """Turns the flat output of `Dense` into an image for the convolutions."""

    height: int
    width: int
    channels: int

    def layers(
        self, name: str, seed: int, dtype: str, **options: bool
    ) -> Iterator[keras.Layer]:
        shape = (self.height, self.width, self.channels)
        yield keras.layers.Reshape(shape, dtype=dtype, name=name)


@dataclasses.dataclass(frozen=True)
class Flatten:
    """Turns an image into features, where a trunk ends with a convolution."""

    def layers(
        self, name: str, seed: int, dtype: str, **options: bool
    ) -> Iterator[keras.Layer]:
        yield keras.layers.Flatten(dtype=dtype, name=name)


def unnormalised(
    blocks: Sequence[Block | Reshape | Flatten],
) -> tuple[Block | Reshape | Flatten, ...]:
    """The same blocks without batch normalisation."""
    return tuple(
        dataclasses.replace(block, batch_norm=False) if isinstance(block, Block) else block
        for block in blocks
    )


def build_network(
    blocks: Sequence[Block | Reshape | Flatten],
    input_shape: Sequence[int],
    *,
    name: str,
    seed: int = 0,
    dtype: str = "float32",
    spectral_norm: bool = False,
) -> keras.Sequential:
    """Builds the blocks in order; the output is float32 whatever `dtype` is.

    Args:
        blocks: the column of the paper's table, from the input on.
        input_shape: one example's shape, without the batch.
        name: the network's role, e.g. "generator"; its initial weights depend on it.
        seed: initial weights are a function of (seed, name, place in the list).
        dtype: a Keras dtype policy, "float32" or "mixed_bfloat16".
        spectral_norm: whether each kernel's largest singular value is kept at 1.

    Raises:
        InfoGANError: a block that does not go on what comes before it.
    """
    network = keras.Sequential([keras.Input(tuple(input_shape))], name=name)
    seeds = np.random.SeedSequence([seed, *name.encode()]).generate_state(len(blocks))
    for place, (block, block_seed) in enumerate(zip(blocks, seeds, strict=True), start=1):
        label = f"{type(block).__name__.lower()}_{place}"
        before = network.output_shape[1:] if place > 1 else tuple(input_shape)
        try:
            for layer in block.layers(
                label, int(block_seed), dtype, spectral_norm=spectral_norm
            ):
                network.add(layer)
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise InfoGANError(
                f"The {name}'s block {place}, {block}, cannot take {before}: {reason}"
            ) from error
    if not blocks:
        network.add(keras.layers.Identity(name="as_it_is"))
    if dtype != "float32":
        network.add(keras.layers.Activation("linear", dtype="float32", name="to_float32"))
    return network


def spectrally_normalised(layer: keras.Layer) -> layers.SpectralNormalization:
    """The layer with its kernel's largest singular value kept at 1 as it trains.

    In float32, or the kernel would be rounded to bfloat16 each time it is divided.
    """
    return layers.SpectralNormalization(layer, dtype="float32", name=layer.name)
