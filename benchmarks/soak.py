"""Kills one training again and again; it has to end as if nothing had happened.

python benchmarks/soak.py --kills=200 --in_checkpoints=20

SIGKILL at random moments, of which some while a checkpoint is being written (seen by the
file that TensorFlow writes it to first), then the same command again, until there were
enough; then the run may finish. Its weights, optimizers and log are compared, bit for bit,
with a run that nobody touched. Prints a line of JSON; exit code 1 if anything differs.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from absl import app, flags

ROOT = pathlib.Path(__file__).parent.parent

flags.DEFINE_integer("kills", 200, "In all.")
flags.DEFINE_integer("in_checkpoints", 20, "At least so many while one is written.")
flags.DEFINE_integer("steps", 40_000, "Of the training.")
flags.DEFINE_float("longest_life", 2.0, "Seconds of training before a kill, at most.")
flags.DEFINE_integer("seed", 0, "Of the moments.")
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    moments, start = random.Random(FLAGS.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        killed, untouched = (
            pathlib.Path(folder, "killed"),
            pathlib.Path(folder, "untouched"),
        )
        counts = {"anywhere": 0, "in a checkpoint": 0}
        while (left := FLAGS.kills - sum(counts.values())) > 0 or (
            counts["in a checkpoint"] < FLAGS.in_checkpoints
        ):
            wait = FLAGS.in_checkpoints - counts["in a checkpoint"] >= left
            aim = wait or moments.random() < 0.3
            counts[live_and_die(killed, moments, aim=aim)] += 1
            print(f"{counts}, step {newest_step(killed)}", flush=True)
        finish(killed)
        finish(untouched)
        same = states(killed) == states(untouched) and logs(killed) == logs(untouched)
        seconds = round(time.monotonic() - start)
        print(json.dumps({"kills": counts, "same": same, "seconds": seconds}))
    sys.exit(0 if same else 1)


def live_and_die(run_dir: pathlib.Path, moments: random.Random, *, aim: bool) -> str:
    """Starts or goes on, and kills after a while; where `aim`, as a checkpoint begins."""
    old = half_written(run_dir)
    process = subprocess.Popen(
        command(run_dir), stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    while not process.stdout.readline().startswith("step"):
        if process.poll() is not None:
            sys.exit(f"The training ended by itself with code {process.returncode}.")
    end = time.monotonic() + moments.uniform(0, FLAGS.longest_life)
    while time.monotonic() < end or aim:
        if aim and time.monotonic() >= end and half_written(run_dir) - old:
            break
        if process.poll() is not None:
            sys.exit("The training was over before all kills: give more --steps.")
        time.sleep(0 if aim else 0.01)
    process.kill()
    process.communicate()
    return "in a checkpoint" if half_written(run_dir) - old else "anywhere"


def half_written(run_dir: pathlib.Path) -> set[str]:
    """The checkpoints of which there are parts and no index."""
    folder = run_dir / "checkpoints"
    names = os.listdir(folder) if folder.exists() else []
    data = {name.split(".")[0].removesuffix("_temp") for name in names}
    whole = {name.removesuffix(".index") for name in names if name.endswith(".index")}
    return data - whole


def finish(run_dir: pathlib.Path) -> None:
    """Trains to the end."""
    subprocess.run(command(run_dir), check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def command(run_dir: pathlib.Path) -> list[str]:
    numbers = [f"--steps={FLAGS.steps}", "--checkpoint_every=20", "--log_every=10"]
    tool = str(ROOT / "tools" / "train.py")
    return [
        *(sys.executable, tool, "--model=tiny_infogan", f"--run_dir={run_dir}"),
        *(*numbers, f"--sweep_every={FLAGS.steps}"),
    ]


def newest_step(run_dir: pathlib.Path) -> int:
    steps = [int(p.stem.split("-")[1]) for p in run_dir.glob("checkpoints/*.index")]
    return max(steps, default=0)


def states(run_dir: pathlib.Path) -> dict[str, bytes]:
    """Every number of the newest checkpoint, by name."""
    import tensorflow as tf

    path = run_dir / "checkpoints" / f"step-{newest_step(run_dir)}"
    reader = tf.train.load_checkpoint(str(path))
    names = reader.get_variable_to_shape_map()
    wanted = [name for name in names if name.startswith("variables")]
    return {name: reader.get_tensor(name).tobytes() for name in wanted}


def logs(run_dir: pathlib.Path) -> list[dict]:
    """The log, without its speeds."""
    text = (run_dir / "train_log.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]


if __name__ == "__main__":
    app.run(main)
