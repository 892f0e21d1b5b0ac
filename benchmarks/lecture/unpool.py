"""`imgsearch lab unpool` on CIFAR-10: three ways to invert pooling, on a corpus of the first images of each class.

A tenth of the images, chosen at random, are the queries and are not trained on. Writes results/lecture_unpool.json.
Run: python -m benchmarks.lecture.unpool [--size default] [--of-each-class 500] [--seeds 1] [--picture PNG]
"""

import argparse
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.lecture.experiment import timed_experiment
from benchmarks.machine import write_result
from benchmarks.protocol import CIFAR10, add
from imgsearch.lab.finding import SIZES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="default")
    parser.add_argument("--of-each-class", type=int, default=500, metavar="N", help="number of images per class")
    parser.add_argument("--seeds", type=int, default=1, help="number of repetitions")
    parser.add_argument("--picture", type=Path, help="write the last repetition's picture to this file")
    asked = parser.parse_args()
    print(write_result("lecture_unpool", run(asked.size, asked.of_each_class, asked.seeds, asked.picture)))


def run(size: str, of_each_class: int, n_seeds: int, picture: Path | None = None) -> dict[str, Any]:
    """Run the experiment with each seed; return the figures and seconds of each repetition."""
    repetitions = []
    with tempfile.TemporaryDirectory() as name:
        paths = add(Path(name), first_of_each_class(Path(name), of_each_class))
        for seed in range(n_seeds):
            timed = timed_experiment("unpool", size=size, data=None, seed=seed, device="cpu", paths=paths)
            finding = timed.finding
            repetitions.append({"seed": seed, "seconds": round(timed.seconds), **finding.figures})
            print(finding.data, *timed.table(), finding.conclusion, sep="\n", flush=True)
            if picture is not None:
                picture.write_bytes(finding.picture)
    return {"size": size, "torch_threads": torch.get_num_threads(), "repetitions": repetitions}


def first_of_each_class(folder: Path, n: int) -> Path:
    """Write a zip of the first n images of each class, in folders named by the classes."""
    path = folder / "cifar10.zip"
    with zipfile.ZipFile(CIFAR10) as whole, zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            if name.endswith(".jpg") and int(Path(name).stem) < n:
                part.writestr(name, whole.read(name))
    return path


if __name__ == "__main__":
    main()
