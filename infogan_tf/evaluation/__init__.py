"""Evaluation: numbers with a protocol, written to metrics.json."""

from infogan_tf.evaluation.evaluate import evaluate, most_probable, read_codes, table
from infogan_tf.evaluation.report import comparison

__all__ = ["comparison", "evaluate", "most_probable", "read_codes", "table"]
