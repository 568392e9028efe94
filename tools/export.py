"""Writes a run as a SavedModel: EXPORT_DIR/<model>/<version>/.

python tools/export.py --run_dir=DIR --export_dir=DIR
"""

from absl import flags
from command_line import FLAGS, define_run_dir_flag, run

define_run_dir_flag()
flags.DEFINE_string("export_dir", None, "Folder of the models, as TF Serving wants it.")
flags.DEFINE_bool("ema", False, "Export the average of the generator.")
flags.mark_flag_as_required("export_dir")


def main() -> None:
    from infogan_tf.serving.export import export
    from infogan_tf.serving.model_card import model_card
    from infogan_tf.training import load

    model = load(FLAGS.run_dir, average=FLAGS.ema)
    step = int(model.step.numpy())
    card = model_card(FLAGS.run_dir, step=step, average=FLAGS.ema)
    print(export(model, FLAGS.export_dir, card=card))


if __name__ == "__main__":
    run(main)
