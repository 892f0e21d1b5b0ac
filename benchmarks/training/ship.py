"""Put a trained model into the package: the weights as they are, the card with what it was trained on and how.

    python benchmarks/ship.py index "45,000 CIFAR-10 images and ..., no labels" "imgsearch train ..." "On one core ..."

How the model that is in the package was made, stands in its `model.json` and in `docs/log.md`.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch

from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.checkpoint import load_checkpoint, save_checkpoint
from imgsearch.paths import IndexPaths

FILLED_IN = ("digest", "made_at", "versions")  # by save_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, help="the index directory whose model is to be shipped")
    parser.add_argument("data", help="what it was trained on")
    parser.add_argument("command", help="by which command, or which in turn")
    parser.add_argument("history", help="what else made it what it is")
    arguments = parser.parse_args()
    network, card = load_checkpoint(IndexPaths(arguments.index).model, torch.device("cpu"))
    fields = {name: value for name, value in asdict(card).items() if name not in FILLED_IN}
    fields["training"] |= {name: getattr(arguments, name) for name in ("data", "command", "history")}
    print(save_checkpoint(SHIPPED, network.state_dict(), **fields))


if __name__ == "__main__":
    main()
