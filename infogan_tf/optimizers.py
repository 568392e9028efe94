"""Adam on TensorFlow's fused kernel, and a learning rate that ends at zero."""

from typing import Any

import keras
import tensorflow as tf

from infogan_tf.errors import InfoGANError


@keras.saving.register_keras_serializable("infogan_tf")
class Adam(keras.optimizers.Adam):
    """Keras's Adam, each variable updated by one kernel; the same numbers.

    One pass over the memory instead of a dozen.

    `amsgrad` is not available. See `keras.optimizers.Adam` for the other arguments.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        if options.get("amsgrad"):
            raise InfoGANError(
                "The fused Adam has no amsgrad: use keras.optimizers.Adam(amsgrad=True)."
            )
        super().__init__(*arguments, **options)

    def update_step(
        self,
        gradient: tf.Tensor,
        variable: keras.Variable | tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        index = self._get_variable_index(variable)
        weights, momentum, velocity = (
            one.value if isinstance(one, keras.Variable) else one
            for one in (variable, self._momentums[index], self._velocities[index])
        )
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=weights.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


@keras.saving.register_keras_serializable("infogan_tf")
class LinearEnd(keras.optimizers.schedules.LearningRateSchedule):
    """A constant learning rate that falls linearly to 0 over the last updates.

    Players that move at a constant rate circle around the equilibrium; as the rate falls
    they settle.

    Args:
        learning_rate: until then.
        steps: updates in all.
        decay: the last part of them, above 0 to 1, during which the rate falls.
    """

    def __init__(self, learning_rate: float, steps: int, decay: float) -> None:
        self.learning_rate = learning_rate
        self.steps = steps
        self.decay = decay

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        left = (self.steps - tf.cast(step, tf.float32)) / (self.decay * self.steps)
        return self.learning_rate * tf.clip_by_value(left, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "steps": self.steps,
            "decay": self.decay,
        }
