"""Scores a run: prints a table, writes metrics.json and report.html.

python tools/evaluate.py --run_dir=DIR [--data_dir=DIR] [--features=inception]
python tools/evaluate.py --compare RUN RUN ...    runs that were scored, in one table
"""

from absl import flags
from command_line import FLAGS, define_data_flags, run

flags.DEFINE_string("run_dir", None, "Run directory of a training.")
flags.DEFINE_bool("compare", None, "Put the runs that follow in one table.")
flags.DEFINE_enum(
    "features",
    "judge",
    ["judge", "inception"],
    "What FID is measured in: the features of a network taught the labels and factors of "
    "these images, or, of colour images, those of Keras's InceptionV3.",
)
flags.mark_flags_as_mutual_exclusive(["run_dir", "compare"], required=True)
define_data_flags()


def main(*runs: str) -> None:
    from infogan_tf import evaluation
    from infogan_tf.errors import InfoGANError
    from infogan_tf.training import RunDirectory

    if FLAGS.compare:
        if not runs:
            raise InfoGANError("--compare got no run: name the run directories after it.")
        print(evaluation.comparison([RunDirectory(path).metrics() for path in runs]))
        return
    if runs:
        raise InfoGANError(
            f"{runs[0]} is one run too many: give --compare to put runs in one table."
        )
    metrics = evaluation.evaluate(
        FLAGS.run_dir,
        dataset=FLAGS.dataset,
        data_dir=FLAGS.data_dir,
        features=FLAGS.features,
    )
    print(evaluation.table(metrics))
    print(f"Report: {RunDirectory(FLAGS.run_dir).report_file}")


if __name__ == "__main__":
    run(main, more_arguments=True)
