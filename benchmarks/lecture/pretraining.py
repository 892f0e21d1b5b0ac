"""`imgsearch lab pretraining` on MNIST: random start, restricted Boltzmann machines, layer-wise autoencoders.

Writes results/lecture_pretraining.json: the experiment's table and the curves of the deep sigmoid autoencoder.
Run: python -m benchmarks.lecture.pretraining [--data mnist.npz] [--size default] [--seed 0] [--picture PNG]
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks.lecture.experiment import timed_experiment
from benchmarks.machine import write_result
from benchmarks.protocol import MNIST
from imgsearch.lab.finding import SIZES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=MNIST, help="mnist.npz")
    parser.add_argument("--size", choices=SIZES, default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, help="write the picture to this file")
    arguments = parser.parse_args()
    print(write_result("lecture_pretraining", run(arguments.data, arguments.size, arguments.seed, arguments.picture)))


def run(data: Path, size: str, seed: int, picture: Path | None = None) -> dict[str, Any]:
    """Run the experiment once; return its figures and times."""
    timed = timed_experiment("pretraining", size=size, data=data, seed=seed)
    print(*timed.table(), sep="\n", flush=True)
    if picture:
        picture.write_bytes(timed.finding.picture)
    fixed = {"size": size, "seed": seed, "repetitions": 1}
    return {**fixed, **timed.cost(), "data": timed.finding.data, **timed.finding.figures}


if __name__ == "__main__":
    main()
