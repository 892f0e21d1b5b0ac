"""The three ways to undo pooling on CIFAR-10: `imgsearch lab unpool` on a corpus of the first images of each class.

The last tenth of a random order asks and is not trained on. Writes results/lecture_unpool.json.
Run: python benchmarks/lecture_unpool.py [--size default] [--of-each-class 1000] [--seeds 1] [--picture PNG]
"""

import argparse
import tempfile
import time
import zipfile
from pathlib import Path

import torch
from machine import write_result
from protocol import CIFAR10, Teller, add

from imgsearch.device import pick_device
from imgsearch.lab.finding import SIZES, Lab
from imgsearch.lab.registry import run_experiment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="default")
    parser.add_argument("--of-each-class", type=int, default=1000, metavar="N", help="how many images")
    parser.add_argument("--seeds", type=int, default=1, help="how many repetitions")
    parser.add_argument("--picture", type=Path, help="where to leave the last repetition's picture")
    arguments = parser.parse_args()
    repetitions = []
    with tempfile.TemporaryDirectory() as name:
        paths, tell = add(Path(name), first_of_each_class(Path(name), arguments.of_each_class)), Teller()
        for seed in range(arguments.seeds):
            began = time.monotonic()

            def told(share: float, doing: str) -> None:
                tell(doing, round(100 * share), 100)

            lab = Lab(paths, arguments.size, pick_device("cpu"), None, seed, told, lambda: False)
            finding = run_experiment("unpool", lab)
            repetitions.append({"seed": seed, "seconds": round(time.monotonic() - began), **finding.figures})
            print(finding.data, *finding.lines, finding.conclusion, sep="\n", flush=True)
    if arguments.picture is not None:
        arguments.picture.write_bytes(finding.picture)
    figures = {"size": arguments.size, "torch_threads": torch.get_num_threads(), "repetitions": repetitions}
    print(write_result("lecture_unpool", figures))


def first_of_each_class(folder: Path, n: int) -> Path:
    """A zip of the first n images of each class, in folders that name the classes."""
    path = folder / "cifar10.zip"
    with zipfile.ZipFile(CIFAR10) as whole, zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            if name.endswith(".jpg") and int(Path(name).stem) < n:
                part.writestr(name, whole.read(name))
    return path


if __name__ == "__main__":
    main()
