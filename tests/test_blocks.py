"""The blocks of the paper's tables, and the layers they stand on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.blocks import (
    BatchNormalization,
    Convolution,
    Dense,
    Reshape,
    UpConvolution,
    build_network,
)
from infogan_tf.errors import InfoGANError
from infogan_tf.models import build
from zoo.mnist import PAPER

COLUMN = (
    Convolution(6, activation="leaky_relu"),
    Convolution(8, activation="relu", stride=1),
    Dense(5, activation="tanh", batch_norm=False),
)


def column(seed=0, name="trunk", **options):
    return build_network(COLUMN, (8, 8, 2), name=name, seed=seed, **options)


def kernels(network):
    return [
        weight.numpy() for weight in network.trainable_variables if "kernel" in weight.path
    ]


# --- Table 1 of the paper, MNIST -------------------------------------------------------


@pytest.fixture(scope="module")
def mnist():
    return build(PAPER)


def batch_norm(channels):
    return 4 * channels  # scale and offset, moving mean and moving variance


# Weights that batch normalisation follows have no bias: its offset is one.
PARAMETERS = {
    "generator": 74 * 1024 + batch_norm(1024)  # FC. 1024, from 10 + 1 + 1 + 62 numbers
    + 1024 * 6272 + batch_norm(6272)  # FC. 7 x 7 x 128 = 6272
    + 4 * 4 * 128 * 64 + batch_norm(64)  # 4 x 4 upconv. 64, to 14 x 14
    + 4 * 4 * 64 * 1 + 1,  # 4 x 4 upconv. 1, to 28 x 28, with a bias: 6,659,841
    "trunk": 4 * 4 * 1 * 64 + 64  # 4 x 4 conv. 64, to 14 x 14, no batchnorm
    + 4 * 4 * 64 * 128 + batch_norm(128)  # 4 x 4 conv. 128, to 7 x 7
    + 7 * 7 * 128 * 1024 + batch_norm(1024),  # FC. 1024: 6,559,296
    "discriminator": 1024 * 1 + 1,  # FC. output layer for D
    "recognition": 1024 * 128 + batch_norm(128),  # FC. 128: 131,584
    "recognition_output": 128 * 14 + 14,  # 10 logits, (mean, log stddev) of c2 and c3
}  # fmt: skip


@pytest.mark.parametrize("network", PARAMETERS)
def test_parameters_of_the_papers_mnist_networks(mnist, network):
    assert getattr(mnist, network).count_params() == PARAMETERS[network]


def test_all_parameters_of_the_papers_mnist_networks(mnist):
    # 6,659,841 + 6,559,296 + 1,025 + 131,584 + 1,806
    assert sum(PARAMETERS.values()) == 13_353_552
    assert sum(np.prod(weight.shape) for weight in mnist.weights) == 13_353_552


def test_shapes_of_the_papers_mnist_networks(mnist):
    def images(network):
        shapes = [tuple(layer.output.shape)[1:] for layer in network.layers]
        return [shape for shape in dict.fromkeys(shapes) if len(shape) == 3]

    assert images(mnist.generator) == [(7, 7, 128), (14, 14, 64), (28, 28, 1)]
    assert images(mnist.trunk) == [(14, 14, 64), (7, 7, 128)]
    assert mnist.trunk.output_shape == (None, 1024)
    assert mnist.recognition.output_shape == (None, 128)


# --- blocks ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "shape"),
    [
        (Dense(5, activation="relu"), (5,)),
        (Convolution(5, activation="relu"), (4, 6, 5)),
        (Convolution(5, activation="relu", stride=1), (8, 12, 5)),
        (Convolution(5, activation="relu", kernel_size=5), (4, 6, 5)),
        (UpConvolution(5, activation="relu"), (16, 24, 5)),
        (UpConvolution(5, activation="relu", stride=1), (8, 12, 5)),
        (Reshape(4, 4, 18), (4, 4, 18)),
    ],
)
def test_output_shapes(block, shape):
    network = build_network([block], (8, 12, 3), name="network")
    assert network.output_shape == (None, *shape)
    assert network(tf.zeros([2, 8, 12, 3])).shape == (2, *shape)


@pytest.mark.parametrize(
    ("activation", "of_minus_one", "of_two"),
    [
        ("relu", 0.0, 2.0),
        ("leaky_relu", -0.1, 2.0),  # Appendix C: leaky rate 0.1
        ("sigmoid", 1 / (1 + np.e), 1 / (1 + np.exp(-2))),
        ("tanh", np.tanh(-1), np.tanh(2)),
        ("linear", -1.0, 2.0),
    ],
)
def test_activations(activation, of_minus_one, of_two):
    block = Dense(1, activation=activation, batch_norm=False)
    network = build_network([block], [1], name="network")
    network.set_weights([np.ones([1, 1]), np.zeros(1)])
    np.testing.assert_allclose(
        network(tf.constant([[-1.0], [2.0]])), [[of_minus_one], [of_two]], rtol=1e-6
    )


def test_the_order_is_weights_normalisation_activation():
    kinds = [type(layer).__name__ for layer in column().layers]
    assert kinds == [
        *("Conv2D", "BatchNormalization", "LeakyReLU"),
        *("Conv2D", "BatchNormalization", "Activation"),
        *("Flatten", "Dense", "Activation"),
    ]
    biased = [hasattr(layer, "use_bias") and layer.use_bias for layer in column().layers]
    assert sum(biased) == 1
    assert biased[7]


def test_an_unknown_activation_is_named():
    with pytest.raises(InfoGANError) as error:
        Dense(3, activation="swish")
    text = 'Unknown activation "swish"; there are relu, leaky_relu, sigmoid, tanh'
    assert str(error.value).startswith(text)


# --- initial weights -------------------------------------------------------------------


def test_initial_weights_are_a_function_of_seed_and_name():
    keras.utils.set_random_seed(1)
    first = column()
    keras.utils.set_random_seed(2)
    for one, same in zip(first.get_weights(), column().get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    for other in (column(seed=1), column(name="generator")):
        for one, another in zip(kernels(first), kernels(other), strict=True):
            assert not np.array_equal(one, another)


def test_equal_blocks_start_from_different_weights():
    block = Dense(4, activation="relu")
    one, another = kernels(build_network([block, block], [4], name="network"))
    assert abs(np.corrcoef(one.ravel(), another.ravel())[0, 1]) < 0.8


def test_initial_kernels_are_normal_with_deviation_002():
    (kernel,) = kernels(build_network([Dense(512, activation="relu")], [512], name="n"))
    # n = 262,144 draws: the deviation strays by 0.02 / sqrt(2 n) = 2.8e-5
    assert kernel.std() == pytest.approx(0.02, abs=1.4e-4)
    assert kernel.mean() == pytest.approx(0, abs=2e-4)
    assert 3.5 < np.abs(kernel / 0.02).max() < 6.5  # normal, not uniform or truncated


# --- batch normalisation on the fused kernel -------------------------------------------

SHAPES = pytest.mark.parametrize("shape", [(16, 5), (6, 4, 3, 5)], ids=["flat", "images"])


def normalisation(kind, shape, *, steps, training, **options):
    """Runs one layer; its output, the gradients, and the moving averages after."""
    layer = kind(**options)
    layer.build(shape)
    draw = np.random.default_rng(5)
    layer.gamma.assign(draw.normal(1, 0.3, 5))
    layer.beta.assign(draw.normal(0, 0.3, 5))
    layer.moving_mean.assign(draw.normal(1, 0.3, 5))
    layer.moving_variance.assign(draw.uniform(0.5, 2, 5))
    before = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    for _ in range(steps):
        images = tf.constant(draw.normal(2, 3, shape), tf.float32)
        weights = tf.constant(draw.normal(size=shape), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=training)
            loss = tf.reduce_sum(weights * outputs)
        watched = [images, *layer.trainable_variables]
    after = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    moves = [new - old for new, old in zip(after, before, strict=True)]
    return outputs, tape.gradient(loss, watched), moves, before


@SHAPES
@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation_is_kerass(shape, training):
    ours, theirs = (
        normalisation(kind, shape, steps=1, training=training, momentum=0.9)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    )
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    assert len(ours[1]) == 3  # by the input, the scale and the offset
    for our_gradient, their_gradient in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(our_gradient, their_gradient, atol=1e-4, rtol=1e-4)
    (our_mean, our_variance), (their_mean, their_variance) = ours[2], theirs[2]
    np.testing.assert_allclose(our_mean, their_mean, atol=1e-6)
    # The move is (1 - momentum)(variance - before); our variance is n / (n - 1) of theirs.
    count, (_, before) = np.prod(shape[:-1]), theirs[3]
    unbiased = (their_variance + 0.1 * before * training) * count / (count - 1)
    expected = unbiased - 0.1 * before * training
    np.testing.assert_allclose(our_variance, expected if training else 0, atol=1e-5)


@SHAPES
def test_moving_averages_gather_over_steps(shape):
    means = [
        normalisation(kind, shape, steps=10, training=True, momentum=0.8)[2][0]
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    np.testing.assert_allclose(*means, atol=1e-5)
    assert np.all(np.abs(means[0]) > 0.1)


def test_frozen_batch_normalisation_is_kerass():
    ours, theirs = (
        normalisation(kind, (16, 5), steps=1, training=True, trainable=False)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    )
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    np.testing.assert_allclose(ours[2], theirs[2], atol=1e-7)


@SHAPES
def test_batch_normalisation_keeps_float32_statistics_of_bfloat16_inputs(shape):
    layer = BatchNormalization(dtype="mixed_bfloat16")
    inputs = tf.random.stateless_normal(shape, [1, 2], 3.0, 2.0)
    outputs = layer(tf.cast(inputs, tf.bfloat16), training=True)
    assert outputs.dtype == tf.bfloat16
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    means = 0.01 * np.mean(inputs, axis=tuple(range(len(shape) - 1)))
    np.testing.assert_allclose(layer.moving_mean, means, rtol=0.01)


# --- bfloat16 --------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_a_bfloat16_network_speaks_float32_and_says_the_same(training):
    images = tf.random.stateless_normal([32, 8, 8, 2], [3, 4])
    exact, rounded = column(), column(dtype="mixed_bfloat16")
    assert {layer.compute_dtype for layer in rounded.layers[:-1]} == {"bfloat16"}
    assert {weight.dtype for weight in rounded.weights} == {"float32"}
    for one, same in zip(exact.get_weights(), rounded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    outputs = rounded(images, training=training)
    assert outputs.dtype == tf.float32
    # bfloat16 keeps 8 bits: 0.4% of the activations a layer
    expected = exact(images, training=training).numpy()
    assert np.abs(outputs - expected).max() < 0.03 * np.abs(expected).max()
    assert not np.array_equal(outputs, expected)
