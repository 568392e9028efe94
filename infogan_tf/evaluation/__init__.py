"""Evaluation: numbers with a protocol, written to metrics.json."""

from infogan_tf.evaluation.batches import most_probable, read_codes
from infogan_tf.evaluation.evaluate import evaluate, table
from infogan_tf.evaluation.report import comparison

__all__ = ["comparison", "evaluate", "most_probable", "read_codes", "table"]
