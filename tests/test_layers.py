"""The layers on faster kernels: Keras's numbers, forwards and backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf import blocks
from infogan_tf.layers import BatchNormalization, Conv2D, Conv2DTranspose, Dense

# --- dense -----------------------------------------------------------------------------


def answer(layer, inputs, training):
    """Ours have one gradient for training and another otherwise; Keras's do not ask."""
    ours = type(layer) in (Dense, Conv2D, Conv2DTranspose)
    return layer(inputs, training=training) if ours else layer(inputs)


def dense(kind, training, **options):
    """One layer's output, and the gradients of its inputs, kernel and bias."""
    draw = np.random.default_rng(3)
    layer = kind(7, **options)
    layer.build((6, 5))
    for weight in layer.weights:
        weight.assign(draw.normal(size=weight.shape))
    inputs, weights = (
        tf.constant(draw.normal(size=s), tf.float32) for s in ((6, 5), (6, 7))
    )
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = answer(layer, inputs, training)
            loss = tf.reduce_sum(weights * tf.cast(outputs, tf.float32) ** 2)
        gradients = tape.gradient(loss, [inputs, *layer.trainable_variables])
        penalty = tf.reduce_sum(gradients[0] ** 2)  # what a gradient penalty needs
    return [outputs, *gradients, *outer.gradient(penalty, [inputs, layer.kernel])]


@pytest.mark.parametrize(
    "options",
    [{}, {"use_bias": False}, {"activation": "tanh"}, {"dtype": "mixed_bfloat16"}],
    ids=str,
)
@pytest.mark.parametrize("training", [True, False])
def test_dense_is_kerass(options, training):
    ours, theirs = (
        dense(kind, training, **options) for kind in (Dense, keras.layers.Dense)
    )
    assert len(ours) == (5 if "use_bias" in options else 6)
    rounding = 2e-2 if "dtype" in options else 2e-5  # bfloat16 keeps 8 bits
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(
            tf.cast(one, tf.float32), tf.cast(other, tf.float32), rtol=rounding, atol=1e-4
        )


def test_the_gradient_of_denses_inputs_takes_the_batched_kernel():
    layer = Dense(7)
    layer.build((6, 5))

    @tf.function
    def gradient(inputs):
        return tf.gradients(tf.reduce_sum(layer(inputs, training=True) ** 2), inputs)

    graph = gradient.get_concrete_function(tf.TensorSpec((6, 5))).graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("BatchMatMulV2") == 1


def test_a_network_in_training_takes_our_gradients():
    """Inside a model, `training` reaches every layer."""
    column = [blocks.Dense(width, activation="relu") for width in (8, 4)]
    network = blocks.build_network(column, [3], name="network")

    @tf.function
    def gradient(inputs):
        return tf.gradients(network(inputs, training=True), inputs)

    graph = gradient.get_concrete_function(tf.TensorSpec((6, 3))).graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("BatchMatMulV2") == 2


# --- convolutions ----------------------------------------------------------------------


def convolution(kind, inputs_shape, filters, options, training):
    """One layer's output, first gradients, and second ones as a penalty needs them."""
    draw = np.random.default_rng(4)
    layer = kind(filters, 4, 2, padding="same", **options)
    layer.build(inputs_shape)
    for weight in layer.weights:
        weight.assign(draw.normal(size=weight.shape))
    inputs = tf.constant(draw.normal(size=inputs_shape), tf.float32)
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = answer(layer, inputs, training)
            loss = tf.reduce_mean(tf.cast(outputs, tf.float32) ** 2)
        gradients = tape.gradient(loss, [inputs, *layer.trainable_variables])
        penalty = tf.reduce_sum(gradients[0] ** 2)
    return [outputs, *gradients, *outer.gradient(penalty, [inputs, layer.kernel])]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("channels", [1, 3, 8], ids=lambda n: f"{n}-channels")
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Conv2D, keras.layers.Conv2D),
        (Conv2DTranspose, keras.layers.Conv2DTranspose),
    ],
    ids=["convolution", "transpose"],
)
def test_convolutions_are_kerass(ours, theirs, channels, dtype, training):
    inputs, filters = (
        ((5, 8, 6, channels), 7) if ours is Conv2D else ((5, 4, 3, 7), channels)
    )
    options = {"dtype": dtype, "activation": "tanh" if channels == 3 else None}
    one, other = (
        convolution(kind, inputs, filters, options, training) for kind in (ours, theirs)
    )
    assert len(one) == 6
    rounding = 6e-2 if dtype == "mixed_bfloat16" else 1e-5
    for value, wanted in zip(one, other, strict=True):
        assert value.dtype == wanted.dtype and value.shape == wanted.shape
        value, wanted = (np.asarray(tf.cast(v, tf.float32)) for v in (value, wanted))
        assert np.abs(value - wanted).max() <= rounding * np.abs(wanted).max()


@pytest.mark.parametrize("size", [(7, 7), (8, 8), (8, 7), (7, 8)], ids=str)
def test_an_odd_image_is_convolved_as_keras_does(size):
    found = [
        convolution(kind, (2, *size, 1), 3, {}, True)
        for kind in (Conv2D, keras.layers.Conv2D)
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


# --- batch normalisation ---------------------------------------------------------------

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
