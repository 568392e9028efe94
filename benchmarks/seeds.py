"""Trains and scores one model on several seeds, and prints the table of all of them.

python benchmarks/seeds.py --model=mnist_infogan --data_dir=DIR --runs=runs/seeds

A run that is there is taken up where it stopped, left as it is when it was scored, and
refused when it had other settings; so the same command, given again, goes on. No seed
and no step is chosen by its score.
"""

import json
import os
import pathlib
import statistics
import sys

from absl import flags

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from command_line import FLAGS, chosen_spec, define_data_flags, define_model_flags, run

define_model_flags()
define_data_flags()
flags.DEFINE_integer("seeds", 10, "How many: 0 to N - 1.")
flags.DEFINE_string("runs", None, "Folder of the run directories, seed0 and so on.")
flags.DEFINE_string("results", None, "Folder for a copy of each metrics.json.")
flags.mark_flag_as_required("runs")

COLUMNS = {
    "accuracy": "clustering/accuracy",
    "NMI": "clustering/nmi",
    "generated as asked": "clustering/generated_agreement",
    "FID": "fidelity/fid",
    "recall": "fidelity/recall",
}


def main() -> None:
    from infogan_tf.evaluation import evaluate
    from infogan_tf.training import train
    from infogan_tf.training.run_directory import RunDirectory

    spec, found = chosen_spec(), {}
    for seed in range(FLAGS.seeds):
        folder = RunDirectory(pathlib.Path(FLAGS.runs, f"seed{seed}"))
        seeded = spec.with_training(seed=seed)
        train(seeded, folder.path, dataset=FLAGS.dataset, data_dir=FLAGS.data_dir)
        scored = folder.metrics_file.exists() and folder.metrics().get("step")
        if scored != spec.training.steps:
            evaluate(folder.path)
        found[seed] = folder.metrics()
        if FLAGS.results:
            name = f"seed{seed}_{spec.training.precision}.json"
            copy = pathlib.Path(FLAGS.results, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(json.dumps(found[seed], indent=1) + "\n")
    print(table(found))


def table(found: dict[int, dict]) -> str:
    """Markdown: a line for each seed, then the least, the mean and the deviation."""
    values = {
        name: [metrics[key] for metrics in found.values()]
        for name, key in COLUMNS.items()
        if key in found[min(found)]
    }
    for measure in ("slant", "width"):  # by the code that controls it best
        values[measure] = [
            max(
                (abs(v) for k, v in metrics.items() if k.endswith(f"/{measure}")), default=0
            )
            for metrics in found.values()
        ]
    lines = [f"| seed | {' | '.join(values)} |", "| --- " * (len(values) + 1) + "|"]
    for place, seed in enumerate(found):
        shown = " | ".join(f"{column[place]:.4g}" for column in values.values())
        lines.append(f"| {seed} | {shown} |")
    summaries = {"least": min, "mean": statistics.mean, "deviation": statistics.stdev}
    for name, summary in summaries.items():
        if len(found) > 1:
            shown = " | ".join(f"{summary(column):.4g}" for column in values.values())
            lines.append(f"| {name} | {shown} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
