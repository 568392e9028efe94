"""Times a model's training step beside its arithmetic and the machine's ceiling.

python tools/benchmark.py --model=mnist_infogan_paper [--against=gan] [--json=FILE]
    [--data_dir=DIR]    evaluates on these images, not on a few drawn shapes
"""

from absl import flags
from command_line import FLAGS, chosen_spec, define_data_flags, define_model_flags, run

define_model_flags()
define_data_flags()
flags.DEFINE_enum("against", None, ["gan"], "Time the same step without codes as well.")
flags.DEFINE_string("json", None, "File to write the figures to.")


def main() -> None:
    import json
    import os
    import pathlib
    import platform

    from infogan_tf.benchmark import benchmark

    spec = chosen_spec()
    built_in = None if FLAGS.data_dir or FLAGS.dataset else "synthetic"
    figures = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        **benchmark(
            spec,
            against_gan=FLAGS.against == "gan",
            dataset=FLAGS.dataset or built_in,
            data_dir=FLAGS.data_dir,
        ),
        "start_up_seconds": start_up(),
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if FLAGS.json:
        pathlib.Path(FLAGS.json).write_text(text + "\n")


def start_up() -> dict[str, float]:
    """Seconds from a shell to the help, the imported package, and the first step."""
    import pathlib
    import subprocess
    import sys
    import tempfile
    import time

    train = str(pathlib.Path(__file__).with_name("train.py"))
    with tempfile.TemporaryDirectory() as run_dir:
        chosen = [f"--model={FLAGS.model}", f"--model_module={FLAGS.model_module or ''}"]
        one_step = ["--dataset=synthetic", "--steps=1", f"--run_dir={run_dir}"]
        commands = {
            "help": [train, "--help"],
            "import": ["-c", "from infogan_tf import train"],
            "first_step": [train, *chosen, *one_step],
        }
        seconds = {}
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *command], capture_output=True, check=False)
            seconds[name] = time.perf_counter() - start
    return seconds


if __name__ == "__main__":
    run(main)
