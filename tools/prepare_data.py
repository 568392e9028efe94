"""Makes the images that are published nowhere: 3D faces from a morphable model.

python tools/prepare_data.py --dataset=faces3d --data_dir=DIR --count=60000

DIR holds 01_MorphableModel.mat or sfm_shape_3448.bin, or --morphable_model names the file;
DIR/faces3d.npz is written, and --data_dir=DIR trains on it.
"""

from absl import flags
from command_line import FLAGS, run

flags.DEFINE_enum("dataset", "faces3d", ["faces3d"], "What to make.")
flags.DEFINE_string("data_dir", None, "Folder that the images are written to.")
flags.DEFINE_string("morphable_model", None, "The model's file, if it is not in data_dir.")
flags.DEFINE_integer("count", 60_000, "How many images.")
flags.DEFINE_integer("seed", 0, "Everything random is a function of it.")
flags.mark_flag_as_required("data_dir")


def main() -> None:
    import pathlib

    from infogan_tf.data import faces3d, morphable_model

    folder = pathlib.Path(FLAGS.data_dir)
    given = FLAGS.morphable_model
    model = pathlib.Path(given) if given else morphable_model.find(folder)
    path = folder / faces3d.FILE
    faces3d.write(path, model, count=FLAGS.count, seed=FLAGS.seed)
    print(f"Images: {path}")


if __name__ == "__main__":
    run(main)
