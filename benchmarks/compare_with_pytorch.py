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
    "svhn": "svhn_infogan_paper",
    "celeba": "celeba_infogan_paper",
}
ROUNDS, STEPS = 12, 4


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
    rounds = [{worker: run(worker, STEPS) for worker in workers} for _ in range(ROUNDS)]
    for process in workers.values():
        process.stdin.close()
        process.wait()
    times = {worker: [ms for one in rounds for ms in one[worker]] for worker in workers}

    def ratio(ours: str, *theirs: str) -> list[float]:
        """How many times as fast: quartiles over the rounds, best of theirs in each."""
        middles = [
            {who: statistics.median(ms) for who, ms in one.items()} for one in rounds
        ]
        ratios = [min(one[who] for who in theirs) / one[ours] for one in middles]
        return statistics.quantiles(ratios, n=4)

    figures = {
        "command": f"python benchmarks/compare_with_pytorch.py {name}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "model": MODELS[name],
        "ms_per_step": {who: statistics.quantiles(ms, n=4) for who, ms in times.items()},
        "float32_ratio": ratio("ours float32", "pytorch float32"),
        "bfloat16_ratio_to_pytorchs_best": ratio(
            "ours bfloat16", "pytorch float32", "pytorch bfloat16"
        ),
        "steps_each": ROUNDS * STEPS,
    }
    text = json.dumps(figures, indent=2)
    print(text)
    for argument in sys.argv[2:]:
        if argument.startswith("--json="):
            pathlib.Path(argument.removeprefix("--json=")).write_text(text + "\n")


if __name__ == "__main__":
    main()
