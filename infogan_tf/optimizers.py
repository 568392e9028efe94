"""Adam on TensorFlow's fused kernel: one pass over the memory instead of a dozen."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("infogan_tf")
class Adam(keras.optimizers.Adam):
    """Keras's Adam, each variable updated by one kernel; the same numbers.

    `amsgrad` is not available. See `keras.optimizers.Adam` for the arguments.
    """

    def update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor
    ) -> None:
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index], self._velocities[index]
        if not isinstance(variable.value, tf.Variable) or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.value.handle,
            m=momentum.value.handle,
            v=velocity.value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
