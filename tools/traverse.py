"""Draws what each latent code changes, one PNG per code.

python tools/traverse.py --run_dir=DIR [--output=DIR] [--real=N [--data_dir=DIR]]
"""

from absl import flags
from command_line import FLAGS, define_data_flags, define_run_dir_flag, run

define_run_dir_flag()
define_data_flags()
flags.DEFINE_string("output", None, "Folder of the pictures; RUN_DIR/traversals if none.")
flags.DEFINE_integer("seed", 0, "Of the noise that is kept.")
flags.DEFINE_integer(
    "real", 0, "Test images to draw again from the codes read in them.", lower_bound=0
)
flags.DEFINE_bool("ema", False, "Use the average of the generator.")


def main() -> None:
    import pathlib

    from infogan_tf import traversal
    from infogan_tf.training import RunDirectory, load

    model, run_directory = (
        load(FLAGS.run_dir, average=FLAGS.ema),
        RunDirectory(FLAGS.run_dir),
    )
    folder = pathlib.Path(FLAGS.output or run_directory.traversals)
    for name, grid in traversal.grids(model, seed=FLAGS.seed).items():
        print(grid.write_png(folder / f"{name}.png"))
    if FLAGS.real:
        from infogan_tf import reconstruction

        images = run_directory.images(dataset=FLAGS.dataset, data_dir=FLAGS.data_dir)
        shown = images.test.sample(FLAGS.real, seed=FLAGS.seed).images
        for name, grid in reconstruction.strips(model, shown, seed=FLAGS.seed).items():
            print(grid.write_png(folder / f"real_{name}.png"))


if __name__ == "__main__":
    run(main)
