"""`imgsearch lab` digits-30, digits-2d, denoise and contract on MNIST, on the processor, with several seeds.

Writes results/lecture_digits.json: figures and times of each run, and means over the seeds. With --only or --seeds only
those runs are repeated; all others are kept.
Run: python -m benchmarks.lecture.digits [--only digits-30:full] [--seeds 0 1]
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.lecture.experiment import timed_experiment
from benchmarks.machine import earlier_figures, write_result
from benchmarks.protocol import MNIST

NAME = "lecture_digits"
RUNS = {  # experiment:size → number of seeds
    "digits-30:default": 3,
    "digits-2d:default": 3,
    "denoise:default": 3,
    "contract:default": 3,
    "digits-30:full": 1,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=RUNS, nargs="+", default=list(RUNS))
    parser.add_argument("--data", type=Path, default=MNIST)
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of the default number of seeds")
    arguments = parser.parse_args()
    for kind in arguments.only:
        for seed in arguments.seeds or range(RUNS[kind]):
            print(write_result(NAME, with_run(earlier_figures(NAME), kind, run(kind, arguments.data, seed))))


def run(kind: str, data: Path, seed: int) -> dict[str, Any]:
    """Run one experiment with one seed; return its table, figures and times."""
    name, size = kind.split(":")
    timed = timed_experiment(name, size=size, data=data, seed=seed, device="cpu")
    print(kind, f"seed {seed}: {timed.seconds:.0f} s", *timed.table(), sep="\n  ", flush=True)
    return {
        "seed": seed,
        **timed.cost(),
        "data": timed.finding.data,
        "table": timed.table(),
        "figures": timed.finding.figures,
    }


def with_run(earlier: dict[str, Any], kind: str, run: dict[str, Any]) -> dict[str, Any]:
    """Return the earlier figures with `run` added; it replaces a run of the same kind and seed."""
    results = dict(earlier.get("runs", {}))
    others = [each for each in results.get(kind, {"runs": []})["runs"] if each["seed"] != run["seed"]]
    runs = sorted([*others, run], key=lambda each: int(each["seed"]))
    results[kind] = {"runs": runs, "mean": mean_of([each["figures"] for each in runs])}
    return {"runs": {name: results[name] for name in RUNS if name in results}}


def mean_of(figures: Sequence[Any]) -> Any:
    """Return the mean of nested figures of the same shape, number by number."""
    first = figures[0]
    if isinstance(first, dict):
        return {name: mean_of([each[name] for each in figures]) for name in first}
    if isinstance(first, list):
        return [mean_of(values) for values in zip(*figures, strict=True)]
    return statistics.fmean(figures)


if __name__ == "__main__":
    main()
