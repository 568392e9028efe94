"""Several devices or machines at one batch, by tf.distribute: the same numbers as one.

Each replica takes its rows of the batch. Whatever is drawn is drawn for the whole batch,
and batch normalisation is over all of it; so neither the losses nor the weights depend on
how many replicas there are, but for the order of additions (docs/scaling.md names what is
different).
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from infogan_tf.errors import InfoGANError

STRATEGIES = ("mirrored", "multi_worker")


def find(name: str) -> tf.distribute.Strategy:
    """All GPUs of this machine ("mirrored"), or of all in TF_CONFIG ("multi_worker").

    To be called before TensorFlow has done anything else.

    Raises:
        InfoGANError: unknown, or several workers without a TF_CONFIG that names them.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name != "multi_worker":
        raise InfoGANError(
            f'Unknown strategy "{name}"; there are {" and ".join(STRATEGIES)}.'
        )
    if not os.environ.get("TF_CONFIG"):
        raise InfoGANError(
            "--strategy=multi_worker, and TF_CONFIG is not set: give each worker the "
            'addresses of all, and its own place, as {"cluster": {"worker": '
            '["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}.'
        )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (ValueError, TypeError, KeyError, RuntimeError, tf.errors.OpError) as error:
        raise InfoGANError(
            f"TF_CONFIG is {os.environ['TF_CONFIG']}: {error}. It has to be "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}.'
        ) from error


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes: the chief, or worker 0, or the only."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    first = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return (resolver.task_type, resolver.task_id) == (first, 0)


LOST = (  # what TensorFlow raises in a worker that waits for one that is gone
    *(tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError),
    *(tf.errors.InternalError, tf.errors.UnavailableError),
)


@contextlib.contextmanager
def together(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Does something with all workers.

    Raises:
        InfoGANError: one of the others is gone.
    """
    try:
        yield
    except LOST as error:
        if not is_several_workers(strategy):
            raise
        raise InfoGANError(
            f"Another worker is gone ({type(error).__name__}): start all of them again "
            "with the same command, and they go on from the last checkpoint."
        ) from error


def agree(strategy: tf.distribute.Strategy, number: int) -> bool:
    """Waits for all workers, each with its `number`; says whether it is the same."""
    if not is_several_workers(strategy):
        return True
    value = tf.constant(float(number))
    mean = strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)
    return float(mean) == number


def is_several_workers(strategy: tf.distribute.Strategy) -> bool:
    """Whether other processes hold replicas too."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def count() -> int:
    """How many replicas share the batch, seen from within one; 1 without a strategy."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def total(value: Any) -> Any:
    """The sum of a tensor, or of several, over all replicas; differentiable."""
    return tf.distribute.get_replica_context().all_reduce("SUM", value)


def mean(value: tf.Tensor) -> tf.Tensor:
    """The mean of a tensor over all replicas; differentiable."""
    return value if count() == 1 else total(value) / count()


def own_rows(
    draw: Callable[[tf.Tensor], Any], rows: int | tf.Tensor, *, axis: int = 0
) -> Any:
    """This replica's rows of what `draw(rows of the whole batch)` gives.

    Args:
        draw: makes a tensor, or a structure of them, with as many rows as it is told.
        rows: that this replica has; every replica has as many.
        axis: of the rows.
    """
    replicas = count()
    if replicas == 1:
        return draw(rows)
    place = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32)
    mine = place * rows + tf.range(rows)
    return tf.nest.map_structure(
        lambda drawn: tf.gather(drawn, mine, axis=axis), draw(rows * replicas)
    )


def reducible(logs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The logs of a step in the shape that `fit` can take the mean of.

    Keras reduces those of several workers along an axis that scalars have not
    (keras-team/keras#20585).
    """
    if is_several_workers(tf.distribute.get_strategy()):
        return {name: tf.reshape(value, [1]) for name, value in logs.items()}
    return logs
