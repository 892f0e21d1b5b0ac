"""The ladder network on MNIST with 100 labels: error on the 10,000 test digits, with and without the ladder.

    nice python -m benchmarks.lecture.ladder --minutes 7.5       as `imgsearch lab ladder`
    nice python -m benchmarks.lecture.ladder --epochs 150        as its --size full, the published number of steps

Each call adds one seed to results/lecture_ladder.json under the name of its budget. The training code is that of the
experiment.
"""

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lecture.experiment import laboratory
from benchmarks.machine import earlier_figures, write_result
from benchmarks.protocol import MNIST
from imgsearch.device import pick_device
from imgsearch.lab.datasets import digits
from imgsearch.lab.experiments.ladders import HIDDEN, LABELS_PER_DIGIT, WITH, WITHOUT, few_labels, follow, ladder_of
from imgsearch.paths import IndexPaths

NAME = "lecture_ladder"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float)
    budget.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    wanted = {"epochs": arguments.epochs} if arguments.epochs else {"minutes": arguments.minutes}
    key = " ".join(f"{value:g} {unit}" for unit, value in wanted.items())
    figures = earlier_figures(NAME)
    figures[key] = figures.get(key, {}) | {f"seed {arguments.seed}": run(arguments.seed, wanted)}
    print(write_result(NAME, figures))


def run(seed: int, budget: dict[str, float]) -> dict[str, Any]:
    """Train both networks; return errors, curves and times. The one without a ladder gets a tenth of the budget."""
    tenth = {unit: type(value)(max(value / 10, 1)) for unit, value in budget.items()}
    found: dict[str, Any] = {"load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        lab = laboratory(IndexPaths(Path(folder)), "full", MNIST, seed, pick_device())
        data = digits(lab)
        labels = few_labels(data.train_labels, LABELS_PER_DIGIT, seed)
        whole = ladder_of((data.side**2, *HIDDEN, 10))
        for name, network, own in ((WITHOUT, replace(whole, costs=(0.0,)), tenth), (WITH, whole, budget)):
            began = time.process_time()
            training = follow(lab, data, labels, name, network, own)
            found[name] = {
                "error": training.errors[-1],
                "steps": training.steps,
                "errors": training.errors,
                "processor_seconds": round(time.process_time() - began),
            }
            print(name, [f"{error:.2%}" for error in training.errors], flush=True)
    found["labels"] = int(np.count_nonzero(labels >= 0))
    return found


if __name__ == "__main__":
    main()
