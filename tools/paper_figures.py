"""Draws figures of the paper from our own runs.

python tools/paper_figures.py --figure=1 --run_dir=RUN --run_dir=RUN --output=figure_1.png
"""

from absl import flags
from command_line import FLAGS, run

flags.DEFINE_enum("figure", "1", ["1"], "Which figure of the paper.")
flags.DEFINE_multi_string("run_dir", [], "Runs to draw, a curve each.")
flags.DEFINE_string("output", None, "The picture to write (.png).")
flags.mark_flags_as_required(["run_dir", "output"])


def main() -> None:
    from infogan_tf import figures

    print(figures.information_against_steps(FLAGS.run_dir, FLAGS.output))


if __name__ == "__main__":
    run(main)
