"""The lecture's experiments on MNIST: what `imgsearch lab` finds at its default and full size, over several seeds.

Runs digits-30, digits-2d, denoise and contract as the command does, on the processor, and writes
results/lecture_digits.json: each run's figures, its seconds, and the mean over seeds. With --only or --seeds some runs
are made anew, and the others stay. Run: python benchmarks/lecture_digits.py [--only digits-30:full] [--seeds 0 1]
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from machine import RESULTS, write_result

from imgsearch.device import pick_device
from imgsearch.lab.finding import Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths

NAME = "lecture_digits"
MNIST = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "mnist.npz"
RUNS = {  # the experiment and its size: how many seeds
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
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of each kind's own")
    arguments = parser.parse_args()
    for kind in arguments.only:
        for seed in arguments.seeds or range(RUNS[kind]):
            run = measured(kind, arguments.data, seed)
            print(kind, f"seed {seed}: {run['seconds']:.0f} s", *run["table"], sep="\n  ", flush=True)
            keep(kind, run)


def measured(kind: str, data: Path, seed: int) -> dict[str, Any]:
    """One run: its seconds (of the clock and of the processor), its table and its figures."""
    name, size = kind.split(":")
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(
            IndexPaths(Path(folder)), size, pick_device("cpu"), data, seed, lambda share, text: None, lambda: False
        )
        began, worked = time.monotonic(), time.process_time()
        finding = run_experiment(name, lab)
        seconds, processor = time.monotonic() - began, time.process_time() - worked
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "threads": torch.get_num_threads(),
        "device": lab.device.reason,
        "data": finding.data,
        "table": [" | ".join(line) for line in (finding.columns, *finding.lines)],
        "figures": finding.figures,
    }


def mean_of(figures: list[Any]) -> Any:
    """The mean over runs, number by number, of figures of the same form."""
    first = figures[0]
    if isinstance(first, dict):
        return {name: mean_of([each[name] for each in figures]) for name in first}
    if isinstance(first, list):
        return [mean_of(list(values)) for values in zip(*figures, strict=True)]
    return statistics.fmean(figures)


def keep(kind: str, run: dict[str, Any]) -> None:
    """Put one run into the file, in the place of an older one of the same kind and seed."""
    path = RESULTS / f"{NAME}.json"
    results = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else {}
    older = results.get(kind, {"runs": []})["runs"]
    runs = sorted([*(each for each in older if each["seed"] != run["seed"]), run], key=lambda each: each["seed"])
    results[kind] = {"runs": runs, "mean": mean_of([each["figures"] for each in runs])}
    write_result(NAME, {"runs": {name: results[name] for name in RUNS if name in results}})


if __name__ == "__main__":
    main()
