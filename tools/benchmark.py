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
    from infogan_tf.errors import InfoGANError
    from infogan_tf.training.run_directory import write_json

    output = pathlib.Path(FLAGS.json) if FLAGS.json else None
    if output and (output.is_dir() or not os.access(output.parent, os.W_OK)):
        raise InfoGANError(
            f"--json={output} cannot be written: name a file in a folder that is there and "
            "that you may write to."
        )
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
    print(json.dumps(figures, indent=2))
    if output:
        write_json(output, figures)


def start_up() -> dict[str, float]:
    """Seconds from a shell to the help, the imported package, and the first step.

    Raises:
        InfoGANError: a command failed, and what it said last.
    """
    import pathlib
    import subprocess
    import sys
    import tempfile
    import time

    from infogan_tf.errors import InfoGANError

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
            done = subprocess.run(
                [sys.executable, *command], capture_output=True, text=True
            )
            seconds[name] = time.perf_counter() - start
            if done.returncode and name != "help":  # absl's --help exits with 1
                said = [f"exit code {done.returncode}", *done.stderr.splitlines()][-1]
                raise InfoGANError(
                    f"{name} cannot be timed, since its command fails: "
                    f"{said.removeprefix('Error: ')}"
                )
    return seconds


if __name__ == "__main__":
    run(main)
