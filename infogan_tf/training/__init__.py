"""Training: one function, one run directory, exact resume."""

from infogan_tf.training.run_directory import RunDirectory
from infogan_tf.training.train import Interrupted, load, train

__all__ = ["Interrupted", "RunDirectory", "load", "train"]
