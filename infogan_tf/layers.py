"""Keras layers on TensorFlow's faster kernels: the same numbers, sooner.

Gradients of their own are for training alone: a SavedModel with any in it warns whoever
loads it that they are lost.
"""

import keras
import tensorflow as tf

from infogan_tf import replicas


@keras.saving.register_keras_serializable("infogan_tf")
class Dense(keras.layers.Dense):
    """Keras's layer with a faster gradient of its inputs.

    That gradient multiplies by the transposed weights. MatMul takes 16.8 ms for 128 x
    1024 by 1024 x 6272 in float32 on two cores, the batched kernel 8.7 ms.
    Inputs are [batch, features].
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        product = _product if training else tf.matmul
        outputs = product(inputs, tf.convert_to_tensor(self.kernel.value))
        if self.use_bias:
            outputs += self.bias.value
        return self.activation(outputs)


@tf.custom_gradient
def _product(inputs: tf.Tensor, kernel: tf.Tensor):
    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return (
            tf.raw_ops.BatchMatMulV2(x=upstream, y=kernel, adj_y=True),
            tf.matmul(inputs, upstream, transpose_a=True),
        )

    return tf.matmul(inputs, kernel), gradient


@keras.saving.register_keras_serializable("infogan_tf")
class Conv2D(keras.layers.Conv2D):
    """Keras's layer with a faster gradient of its inputs where those are images.

    TensorFlow's kernel takes 5.6 ms to spread 128 x 14 x 14 x 64 over 28 x 28 x 1,
    `_spread` 2.7 ms.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        height, width, channels = inputs.shape[1:]
        halves = _doubles_an_image(self, channels) and not (height % 2 or width % 2)
        if not (training and halves):
            return super().call(inputs)
        outputs = _gather(inputs, tf.convert_to_tensor(self.kernel.value))
        if self.use_bias:
            outputs += tf.reshape(self.bias.value, [1, 1, 1, -1])
        return self.activation(outputs)


@keras.saving.register_keras_serializable("infogan_tf")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras's layer, faster where it makes images; see `Conv2D`."""

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not _doubles_an_image(self, self.filters):
            return super().call(inputs)
        spread = _spread if training else _lay_down
        outputs = spread(inputs, tf.convert_to_tensor(self.kernel.value))
        if self.use_bias:
            outputs += self.bias.value
        return self.activation(outputs)


def _doubles_an_image(layer: keras.Layer, channels: int) -> bool:
    """Whether `_spread` is this layer, or its gradient."""
    form = (layer.kernel_size, layer.strides, layer.padding, layer.dilation_rate)
    return form == ((4, 4), (2, 2), "same", (1, 1)) and channels <= 4


@tf.custom_gradient
def _gather(images: tf.Tensor, kernel: tf.Tensor):
    """4 x 4 convolution, stride 2: [n, 2h, 2w, c] and [4, 4, c, f] -> [n, h, w, f]."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _spread(upstream, kernel), _kernel_gradient(images, upstream, kernel)

    return tf.nn.conv2d(images, kernel, 2, "SAME"), gradient


@tf.custom_gradient
def _spread(features: tf.Tensor, kernel: tf.Tensor):
    """Its transpose: [n, h, w, f] and [4, 4, c, f] -> [n, 2h, 2w, c]."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _gather(upstream, kernel), _kernel_gradient(upstream, features, kernel)

    return _lay_down(features, kernel), gradient


def _lay_down(features: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """What `_spread` computes.

    Every feature lays down 4 x 4 pixels: four blocks of 2 x 2, of which the neighbours'
    overlap. One product makes them all; shifted by a block, they are added up.
    """
    height, width, depth = features.shape[1:]
    channels = kernel.shape[2]
    blocks = tf.transpose(  # block row and column, then row, column, channel in it
        tf.reshape(kernel, [2, 2, 2, 2, channels, depth]), [0, 2, 1, 3, 4, 5]
    )
    laid = tf.matmul(
        tf.reshape(features, [-1, depth]), tf.reshape(blocks, [-1, depth]), transpose_b=True
    )
    laid = tf.split(tf.reshape(laid, [-1, height, width, 16 * channels]), 4, axis=3)
    places = ((0, 0), (0, 1), (1, 0), (1, 1))
    added = tf.add_n(
        [
            tf.pad(block, [[0, 0], [down, 1 - down], [right, 1 - right], [0, 0]])
            for block, (down, right) in zip(laid, places, strict=True)
        ]
    )
    return tf.nn.depth_to_space(added, 2)[:, 1:-1, 1:-1, :]


def _kernel_gradient(
    images: tf.Tensor, features: tf.Tensor, kernel: tf.Tensor
) -> tf.Tensor:
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=kernel.shape,
        out_backprop=features,
        strides=[1, 2, 2, 1],
        padding="SAME",
    )


@keras.saving.register_keras_serializable("infogan_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer on TensorFlow's fused kernel.

    The same result as Keras's own over the last axis, but for the moving variance: the
    kernel's is the unbiased n / (n - 1) one. Inputs are [batch, features] or images, in
    float32 or bfloat16; statistics are float32, and of the batches of all replicas.
    """

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.autocast = False  # bfloat16 inputs meet float32 statistics in the kernel

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: None = None
    ) -> tf.Tensor:
        scale, offset = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        if not (training and self.trainable):
            # Plain arithmetic: the kernel's gradient is not exact in inference.
            mean, variance = self.moving_mean.value, self.moving_variance.value
            factor = scale * tf.math.rsqrt(variance + self.epsilon)
            outputs = tf.cast(inputs, tf.float32) * factor + (offset - mean * factor)
            return tf.cast(outputs, inputs.dtype)
        normalise = _normalise_over_replicas if replicas.count() > 1 else _normalise
        outputs, mean, variance = normalise(inputs, scale, offset, self.epsilon)
        momentum = self.momentum
        for moving, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moving.assign(moving.value * momentum + batch * (1.0 - momentum))
        return outputs


def _normalise(
    inputs: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The normalised batch, its mean, and its unbiased variance, by channel."""
    channels = inputs.shape[-1]
    flat = inputs.shape.rank == 2
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(inputs, [-1, 1, 1, channels]) if flat else inputs,
        scale=scale,
        offset=offset,
        mean=[],
        variance=[],
        epsilon=epsilon,
        is_training=True,
    )
    return tf.reshape(outputs, [-1, channels]) if flat else outputs, mean, variance


def _normalise_over_replicas(
    inputs: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`_normalise` for a batch of which each replica has some rows."""
    values, axes = tf.cast(inputs, tf.float32), list(range(inputs.shape.rank - 1))
    count = tf.cast(tf.size(values) / values.shape[-1], tf.float32) * replicas.count()
    mean = replicas.total(tf.reduce_sum(values, axes)) / count
    squares = replicas.total(tf.reduce_sum((values - mean) ** 2, axes))
    outputs = (values - mean) * tf.math.rsqrt(squares / count + epsilon) * scale + offset
    return tf.cast(outputs, inputs.dtype), mean, squares / (count - 1)


@keras.saving.register_keras_serializable("infogan_tf")
class SpectralNormalization(keras.layers.SpectralNormalization):
    """Keras's wrapper, whose power iteration starts from the same vector every time."""

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        start = tf.random.stateless_normal(self.vector_u.shape, [0, 0], alg="philox")
        self.vector_u.assign(start)
