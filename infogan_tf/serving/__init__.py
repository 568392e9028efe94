"""Taking a trained model to where it is used."""

from infogan_tf.serving.export import SWEEP_STEPS, export
from infogan_tf.serving.model_card import model_card

__all__ = ["SWEEP_STEPS", "export", "model_card"]
