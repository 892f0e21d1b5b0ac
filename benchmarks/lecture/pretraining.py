"""What pre-training brings: `imgsearch lab pretraining` on MNIST, from a random start, after machines and layer-wise.

Writes results/lecture_pretraining.json: the table of the lab, and the curves of the deep sigmoid autoencoder.
Run: python benchmarks/lecture_pretraining.py --data mnist.npz [--size default] [--seed 0] [--picture PNG]
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
from machine import write_result

from imgsearch.device import pick_device
from imgsearch.lab.finding import SIZES, Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="mnist.npz")
    parser.add_argument("--size", choices=SIZES, default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, help="where to leave the picture")
    arguments = parser.parse_args()
    began = time.monotonic()

    def tell(share: float, doing: str) -> None:
        print(f"\r{share:5.0%} {time.monotonic() - began:5.0f} s  {doing:60}", end="", flush=True)

    device = pick_device()
    with tempfile.TemporaryDirectory() as name:
        lab = Lab(IndexPaths(Path(name)), arguments.size, device, arguments.data, arguments.seed, tell, lambda: False)
        finding = run_experiment("pretraining", lab)
    print()
    for line in (finding.columns, *finding.lines):
        print("  ".join(f"{cell:>24}" for cell in line))
    if arguments.picture:
        arguments.picture.write_bytes(finding.picture)
    figures = {
        "size": arguments.size,
        "seed": arguments.seed,
        "repetitions": 1,
        "device": device.reason,
        "torch_threads": torch.get_num_threads(),
        "seconds": round(time.monotonic() - began),
    }
    print(write_result("lecture_pretraining", {**figures, "data": finding.data, **finding.figures}))


if __name__ == "__main__":
    main()
