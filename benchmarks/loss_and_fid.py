"""Whether a number of the log falls as the images get better: beside the FID, in a picture.

python benchmarks/loss_and_fid.py --model=mnist_began --number=convergence --every=200
    --steps=2000 --data_dir=DIR --output=began.png

Beside the picture comes a .json of the same name: the means of the number over each
`--every` updates, the FID after them, and the rank correlation of the two.
"""

import json
import os
import pathlib
import sys

from absl import flags

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from command_line import FLAGS, chosen_spec, define_data_flags, define_model_flags, run

define_model_flags()
define_data_flags()
flags.DEFINE_string("number", "d_loss", "A number of the log.")
flags.DEFINE_float("times", 1.0, "What it is multiplied by; -1: a critic's distance.")
flags.DEFINE_integer("every", 200, "Updates between two points.")
flags.DEFINE_string("output", None, "The picture to write (.png).")
flags.mark_flag_as_required("output")

STATISTICS_BATCHES = 50  # for the moving averages that images are drawn with


def main() -> None:
    import keras

    from infogan_tf import data, models
    from infogan_tf.evaluation import fidelity, judge
    from infogan_tf.evaluation.batches import draw
    from infogan_tf.evaluation.correlation import spearman

    spec = chosen_spec()
    numbers = spec.training
    images = data.load(spec.data, dataset=FLAGS.dataset, data_dir=FLAGS.data_dir)
    model = models.build(spec)
    reader, test = judge.cached(images.train), images.test.sample(10_000)
    real = reader.read(test.images).features
    points = []

    class Measure(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            steps = int(model.step.numpy())
            batches = data.batches(
                images.train.images, batch_size=numbers.batch_size, first_step=steps
            )
            model.gather_statistics(batches.take(STATISTICS_BATCHES))
            drawn = reader.read(draw(model, len(test))[1]).features
            fid = fidelity.frechet_distance(real, drawn)
            points.append((steps, FLAGS.times * float(logs[FLAGS.number]), fid))
            print(f"step {steps}  {FLAGS.number} {points[-1][1]:.4g}  FID {fid:.4g}")

    model.fit(
        data.stream(images.train, numbers),
        steps_per_epoch=FLAGS.every,
        epochs=numbers.steps // FLAGS.every,
        verbose=0,
        shuffle=False,
        callbacks=[Measure()],
    )
    steps, values, fids = zip(*points, strict=True)
    output = pathlib.Path(FLAGS.output)
    draw_curves(spec.name, steps, values, fids, output)
    found = {"model": spec.name, "number": FLAGS.number, "times": FLAGS.times}
    found |= {"seed": numbers.seed, "precision": numbers.precision, "steps": steps}
    found |= {"values": values, "fid": fids, "spearman": spearman(values, fids)}
    output.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


def draw_curves(name: str, steps: tuple, values: tuple, fids: tuple, output: pathlib.Path):
    from matplotlib.figure import Figure

    label = FLAGS.number if FLAGS.times == 1 else f"{FLAGS.times:g} x {FLAGS.number}"
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    left = figure.subplots()
    for axes, column, color, said in (
        (left, values, "C0", label),
        (left.twinx(), fids, "C1", "FID"),
    ):
        axes.plot(steps, column, "o-", color=color)
        axes.set_ylabel(said, color=color)
    left.set(xlabel="updates of G", title=name)
    figure.savefig(output, dpi=110)


if __name__ == "__main__":
    run(main)
