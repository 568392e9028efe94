"""Taking a trained model to where it is used."""

from infogan_tf.serving.export import SWEEP_STEPS, export

__all__ = ["SWEEP_STEPS", "export"]
