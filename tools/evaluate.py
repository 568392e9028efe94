"""Scores a run: prints a table and writes metrics.json.

python tools/evaluate.py --run_dir=DIR [--data_dir=DIR]
"""

from command_line import FLAGS, define_data_flags, define_run_dir_flag, run

define_run_dir_flag()
define_data_flags()


def main() -> None:
    from infogan_tf import evaluation

    metrics = evaluation.evaluate(
        FLAGS.run_dir, dataset=FLAGS.dataset, data_dir=FLAGS.data_dir
    )
    print(evaluation.table(metrics))


if __name__ == "__main__":
    run(main)
