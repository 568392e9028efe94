"""What several workers would give, from a measured step: no network was there to try.

python benchmarks/scaling.py --model=mnist_infogan --milliseconds=191

Every worker keeps its batch, so the whole batch grows with them. After each pass the
gradients of both players are summed by a ring: each worker sends and receives
2 (n - 1) / n of their bytes, without overlap with the computation. Every sum over the
workers, of gradients or of batch normalisation forwards and backwards, costs a delay for
every hop of the ring; those of a step are counted in its graph.
"""

import os
import sys

from absl import flags

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from command_line import FLAGS, chosen_spec, define_model_flags, run

define_model_flags()
flags.DEFINE_float("milliseconds", None, "Of a step on one worker, measured.")
flags.DEFINE_list("gigabits", ["1", "10", "100"], "Bandwidths between workers, per second.")
flags.DEFINE_float("delay", 0.1, "Milliseconds for a message to the next worker.")
flags.mark_flag_as_required("milliseconds")

WORKERS = (2, 4, 8, 16, 32, 64)


def main() -> None:
    from infogan_tf import models

    spec = chosen_spec()
    model = models.build(spec)
    trained = [*model.generator.trainable_variables, *model.discriminator_variables]
    gradient_bytes = 4 * sum(variable.shape.num_elements() for variable in trained)
    sums = sums_of_a_step(model, [spec.training.batch_size, *spec.data.image_shape])
    print(f"{gradient_bytes / 1e6:.1f} MB of gradients, {sums} sums of statistics a step\n")
    print(f"| workers | {' | '.join(f'{g} Gbit/s' for g in FLAGS.gigabits)} |")
    print("| --- " * (len(FLAGS.gigabits) + 1) + "|")
    for workers in WORKERS:
        speedups = []
        for gigabits in map(float, FLAGS.gigabits):
            sent = 2 * (workers - 1) / workers * gradient_bytes
            messages = 2 * (workers - 1) * (2 + sums)
            together = sent * 8 / (gigabits * 1e6) + messages * FLAGS.delay
            speedups.append(workers * FLAGS.milliseconds / (FLAGS.milliseconds + together))
        print(f"| {workers} | {' | '.join(f'{speedup:.1f}' for speedup in speedups)} |")


def sums_of_a_step(model, images_shape: list[int]) -> int:
    """How often replicas add something up in one step, beside the gradients."""
    import tensorflow as tf

    from infogan_tf import replicas

    calls = []

    @tf.custom_gradient
    def total(value):
        calls.append("forwards")

        def gradient(upstream):
            calls.append("backwards")
            return upstream

        return tf.identity(value), gradient

    replicas.count, replicas.total = lambda: 2, total
    tf.function(model.train_step).get_concrete_function(tf.TensorSpec(images_shape))
    return len(calls)


if __name__ == "__main__":
    run(main)
