"""Copy a trained model into the package and add its training data, command and history to its card.

    python -m benchmarks.training.ship index "45,000 CIFAR-10 images and ..., no labels" "imgsearch train ..." "On ..."

The card of the shipped model (`model.json`) and `docs/log.md` say how it was made.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch

from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.checkpoint import load_checkpoint, save_checkpoint
from imgsearch.paths import IndexPaths

FILLED_IN = ("digest", "made_at", "versions")  # set by save_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, help="index directory that holds the model")
    parser.add_argument("data", help="training data")
    parser.add_argument("command", help="training command or commands")
    parser.add_argument("history", help="anything else that affected the training")
    arguments = parser.parse_args()
    network, card = load_checkpoint(IndexPaths(arguments.index).model, torch.device("cpu"))
    fields = {name: value for name, value in asdict(card).items() if name not in FILLED_IN}
    fields["training"] |= {name: getattr(arguments, name) for name in ("data", "command", "history")}
    print(save_checkpoint(SHIPPED, network.state_dict(), **fields))


if __name__ == "__main__":
    main()
