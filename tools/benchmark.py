"""Times a model's training step beside its arithmetic and the machine's ceiling.

python tools/benchmark.py --model=mnist_infogan_paper [--against=gan] [--json=FILE]
"""

from absl import flags
from command_line import FLAGS, chosen_spec, define_model_flags, run

define_model_flags()
flags.DEFINE_enum("against", None, ["gan"], "Time the same step without codes as well.")
flags.DEFINE_string("json", None, "File to write the figures to.")


def main() -> None:
    import json
    import pathlib

    from infogan_tf.benchmark import benchmark

    figures = benchmark(chosen_spec(), against_gan=FLAGS.against == "gan")
    text = json.dumps(figures, indent=2)
    print(text)
    if FLAGS.json:
        pathlib.Path(FLAGS.json).write_text(text + "\n")


if __name__ == "__main__":
    run(main)
