"""Draws figures of the paper from our own runs.

python tools/paper_figures.py --figure=1 --run_dir=RUN --run_dir=RUN --output=figure_1.png
python tools/paper_figures.py --figure=4 --panel=RUN:c4 --panel=RUN:c1 --output=figure_4.png
"""

from absl import flags
from command_line import FLAGS, run

flags.DEFINE_enum("figure", "1", list("123456"), "Which figure of the paper.")
flags.DEFINE_multi_string("run_dir", [], "Of Figure 1: runs to draw, a curve each.")
flags.DEFINE_multi_string("panel", [], "Of the others: RUN_DIR:CODE in the paper's order.")
flags.DEFINE_string("output", None, "The picture to write (.png).")
flags.mark_flag_as_required("output")


def main() -> None:
    from infogan_tf import figures

    if FLAGS.figure == "1":
        print(figures.information_against_steps(FLAGS.run_dir, FLAGS.output))
    else:
        print(figures.sweeps_as_in_the_paper(FLAGS.figure, FLAGS.panel, FLAGS.output))


if __name__ == "__main__":
    run(main)
