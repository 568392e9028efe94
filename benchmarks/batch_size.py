"""Which learning rates a larger batch wants: the same images in fewer updates.

python benchmarks/batch_size.py --model=mnist_infogan --dataset=digits --runs=DIR

Trains with the model's own batch and rates, then with `--times` the batch, as many times
fewer updates, and both rates multiplied by 1, the square root of `--times`, and `--times`;
prints a table. Several workers that keep their batch make one that is larger.
"""

import dataclasses
import math
import os
import pathlib
import sys

from absl import flags

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from command_line import FLAGS, chosen_spec, define_data_flags, define_model_flags, run

define_model_flags()
define_data_flags()
flags.DEFINE_integer("times", 2, "How many times the batch.")
flags.DEFINE_string("runs", None, "Folder of the run directories.")
flags.mark_flag_as_required("runs")

SCORES = {"accuracy": "clustering/accuracy", "NMI": "clustering/nmi", "FID": "fidelity/fid"}


def main() -> None:
    from infogan_tf.evaluation import evaluate
    from infogan_tf.training import train

    spec, times = chosen_spec(), FLAGS.times
    own, table = spec.training, [f"| batch | updates | rates | {' | '.join(SCORES)} |"]
    table.append("| --- " * (3 + len(SCORES)) + "|")
    for larger, factor in ((1, 1.0), *((times, f) for f in (1.0, math.sqrt(times), times))):
        numbers = dataclasses.replace(
            own,
            batch_size=own.batch_size * larger,
            steps=own.steps // larger,
            generator_learning_rate=own.generator_learning_rate * factor,
            discriminator_learning_rate=own.discriminator_learning_rate * factor,
        )
        folder = pathlib.Path(FLAGS.runs, f"batch{numbers.batch_size}_rates{factor:.2f}")
        named = {"dataset": FLAGS.dataset, "data_dir": FLAGS.data_dir}
        train(dataclasses.replace(spec, training=numbers), folder, **named)
        metrics = evaluate(folder)
        shown = " | ".join(f"{metrics[key]:.3f}" for key in SCORES.values())
        table.append(
            f"| {numbers.batch_size} | {numbers.steps} | x{factor:.2f} | {shown} |"
        )
    print("\n".join(table))


if __name__ == "__main__":
    run(main)
