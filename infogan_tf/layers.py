"""Keras layers on TensorFlow's faster kernels: the same numbers, sooner."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("infogan_tf")
class Dense(keras.layers.Dense):
    """Keras's layer with a faster gradient of its inputs.

    That gradient multiplies by the transposed weights. MatMul takes 16.8 ms for 128 x
    1024 by 1024 x 6272 in float32 on two cores, the batched kernel 8.7 ms.
    Inputs are [batch, features].
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        outputs = _product(inputs, tf.convert_to_tensor(self.kernel.value))
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
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer on TensorFlow's fused kernel.

    The same result as Keras's own over the last axis, but for the moving variance: the
    kernel's is the unbiased n / (n - 1) one. Inputs are [batch, features] or images, in
    float32 or bfloat16; statistics are float32.
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
        channels = inputs.shape[-1]
        flat = inputs.shape.rank == 2
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(inputs, [-1, 1, 1, channels]) if flat else inputs,
            scale=scale,
            offset=offset,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        momentum = self.momentum
        for moving, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moving.assign(moving * momentum + batch * (1.0 - momentum))
        return tf.reshape(outputs, [-1, channels]) if flat else outputs
