"""The blocks of the paper's tables."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.blocks import (
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


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        (
            [Dense(8, activation="relu"), Reshape(3, 3, 1)],
            "The generator's block 2, Reshape(height=3, width=3, channels=1), cannot take "
            "(8,): ",
        ),
        (
            [Dense(8, activation="relu"), Convolution(4, activation="relu")],
            "The generator's block 2, Convolution(",
        ),
        ([Dense(-8, activation="relu")], "The generator's block 1, Dense("),
    ],
)
def test_a_block_that_does_not_fit_is_named(blocks, text):
    with pytest.raises(InfoGANError) as error:
        build_network(blocks, (5,), name="generator")
    assert str(error.value).startswith(text) and "\n" not in str(error.value)


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
