"""The ladder network on MNIST with 100 labels: error on the 10,000 test digits, with the ladder and without.

    nice python benchmarks/lecture_ladder.py --minutes 8          (what `imgsearch lab ladder` does)
    nice python benchmarks/lecture_ladder.py --epochs 150         (its --size full, as published)

Each call adds its seed to benchmarks/results/lecture_ladder.json under the name of its budget. The training is the
lab's own.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import RESULTS, write_result
from protocol import MNIST

from imgsearch.device import pick_device
from imgsearch.lab.datasets import digits
from imgsearch.lab.experiments.ladders import HIDDEN, LABELS_PER_DIGIT, WITH, WITHOUT, few_labels, follow, ladder_of
from imgsearch.lab.finding import Lab
from imgsearch.paths import IndexPaths

NAME = "lecture_ladder"
SECONDS = 20.0  # between lines of progress
_told = [0.0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float)
    budget.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    wanted = {"epochs": arguments.epochs} if arguments.epochs else {"minutes": arguments.minutes}
    key = " ".join(f"{value:g} {unit}" for unit, value in wanted.items())
    found = measure(arguments.seed, wanted)
    figures = _kept()
    figures[key] = figures.get(key, {}) | {f"seed {arguments.seed}": found}
    print(write_result(NAME, dict(figures)))


def measure(seed: int, budget: dict[str, float]) -> dict[str, object]:
    """Errors, curves and times of both networks; the one without a ladder gets a tenth of the budget."""
    tenth = {unit: type(value)(max(value / 10, 1)) for unit, value in budget.items()}
    found: dict[str, object] = {"load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(IndexPaths(Path(folder)), "full", pick_device(), MNIST, seed, _tell, lambda: False)
        data = digits(lab)
        labels = few_labels(data.train_labels, LABELS_PER_DIGIT, seed)
        whole = ladder_of((data.side**2, *HIDDEN, 10))
        for name, network, own in ((WITHOUT, replace(whole, costs=(0.0,)), tenth), (WITH, whole, budget)):
            began = time.process_time()
            run = follow(lab, data, labels, name, network, own)
            found[name] = {
                "error": run.errors[-1],
                "steps": run.steps,
                "errors": run.errors,
                "processor_seconds": round(time.process_time() - began),
            }
            print(name, [f"{error:.2%}" for error in run.errors], flush=True)
    found["labels"] = int(np.count_nonzero(labels >= 0))
    return found


def _kept() -> dict[str, dict[str, object]]:
    path = RESULTS / f"{NAME}.json"
    found: dict[str, dict[str, object]] = json.loads(path.read_text()) if path.exists() else {}
    found.pop("machine", None)
    return found


def _tell(share: float, what: str) -> None:
    if time.monotonic() - _told[0] > SECONDS:
        _told[0] = time.monotonic()
        print(f"{share:.0%} {what}", flush=True)


if __name__ == "__main__":
    main()
