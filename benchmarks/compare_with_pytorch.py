"""Times our step and PyTorch's in turns, so that a drifting machine slows both.

pip install torch==2.13.0
python benchmarks/compare_with_pytorch.py [--json=FILE]
"""

import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
WORKERS = {
    f"{name} {precision}": [*command, precision]
    for name, command in {
        "ours": [HERE / "ours.py", "mnist_infogan_paper"],
        "pytorch": [HERE / "pytorch_reference.py"],
    }.items()
    for precision in ("float32", "bfloat16")
}
ROUNDS, STEPS = 8, 6


def main() -> None:
    workers = {
        name: subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, command in WORKERS.items()
    }

    def run(name: str, steps: int) -> list[float]:
        worker = workers[name]
        print(steps, file=worker.stdin, flush=True)
        return [float(ms) for ms in worker.stdout.readline().split()]

    for name in workers:
        run(name, 4)  # traces, fills caches
    times = {name: [] for name in workers}
    for _ in range(ROUNDS):
        for name in workers:
            times[name] += run(name, STEPS)
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    medians = {name: statistics.median(values) for name, values in times.items()}
    best = min(medians["pytorch float32"], medians["pytorch bfloat16"])
    figures = {
        "ms_per_step": medians,
        "quartiles": {name: statistics.quantiles(v, n=4) for name, v in times.items()},
        "float32_ratio": medians["pytorch float32"] / medians["ours float32"],
        "bfloat16_ratio_to_pytorchs_best": best / medians["ours bfloat16"],
        "steps_each": ROUNDS * STEPS,
    }
    text = json.dumps(figures, indent=2)
    print(text)
    for argument in sys.argv[1:]:
        if argument.startswith("--json="):
            pathlib.Path(argument.removeprefix("--json=")).write_text(text + "\n")


if __name__ == "__main__":
    main()
