"""Times our step and PyTorch's in turns, so that a drifting machine slows both.

pip install torch==2.13.0
python benchmarks/compare_with_pytorch.py mnist|svhn|celeba [--json=FILE]
"""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
MODELS = {
    "mnist": "mnist_infogan_paper",
    "svhn": "svhn_infogan",
    "celeba": "celeba_infogan",
}
ROUNDS, STEPS = 8, 6


def main() -> None:
    name = sys.argv[1]
    commands = {
        "ours": [HERE / "ours.py", MODELS[name]],
        "pytorch": [HERE / "pytorch_reference.py", name],
    }
    workers = {
        f"{ours_or_pytorch} {precision}": subprocess.Popen(
            [sys.executable, *map(str, command), precision],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for ours_or_pytorch, command in commands.items()
        for precision in ("float32", "bfloat16")
    }

    def run(worker: str, steps: int) -> list[float]:
        print(steps, file=workers[worker].stdin, flush=True)
        return [float(ms) for ms in workers[worker].stdout.readline().split()]

    for worker in workers:
        run(worker, 4)  # traces, fills caches
    times = {worker: [] for worker in workers}
    for _ in range(ROUNDS):
        for worker in workers:
            times[worker] += run(worker, STEPS)
    for process in workers.values():
        process.stdin.close()
        process.wait()
    medians = {worker: statistics.median(values) for worker, values in times.items()}
    best = min(medians["pytorch float32"], medians["pytorch bfloat16"])
    figures = {
        "command": f"python benchmarks/compare_with_pytorch.py {name}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "model": MODELS[name],
        "ms_per_step": medians,
        "quartiles": {name: statistics.quantiles(v, n=4) for name, v in times.items()},
        "float32_ratio": medians["pytorch float32"] / medians["ours float32"],
        "bfloat16_ratio_to_pytorchs_best": best / medians["ours bfloat16"],
        "steps_each": ROUNDS * STEPS,
    }
    text = json.dumps(figures, indent=2)
    print(text)
    for argument in sys.argv[2:]:
        if argument.startswith("--json="):
            pathlib.Path(argument.removeprefix("--json=")).write_text(text + "\n")


if __name__ == "__main__":
    main()
