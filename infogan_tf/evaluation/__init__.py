"""Evaluation: numbers with a protocol, written to metrics.json."""

from infogan_tf.evaluation.evaluate import evaluate, most_probable, table

__all__ = ["evaluate", "most_probable", "table"]
