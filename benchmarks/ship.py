"""Put a trained model into the package: the weights as they are, the card with what it was trained on and how.

The shipped model was made so, from the zips in ../shared/data and the database that `protocol.split_archive` writes:

    imgsearch add database.zip tinyimagenet32-unlabelled-a.zip tinyimagenet32-unlabelled-b.zip --no-previews
    imgsearch train --from scratch --keep new --minutes 70 --batch-size 512
    python benchmarks/ship.py index "45,000 CIFAR-10 images and 100,000 photographs of 200 kinds, no labels" \\
        "imgsearch train --from scratch --keep new --minutes 70 --batch-size 512"
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from imgsearch.autoencoder.checkpoint import load_checkpoint, save_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.current import SHIPPED
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.finish import SAMPLE, learn_short_bits, rotate_long_bits, view_codes
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths

FILLED_IN = ("digest", "made_at", "versions")  # by save_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, help="the index directory whose model is to be shipped")
    parser.add_argument("data", help="what it was trained on")
    parser.add_argument("command", help="by which command")
    parser.add_argument("--bits", action="store_true", help="make the binary codes anew, by the present code")
    arguments = parser.parse_args()
    paths = IndexPaths(arguments.index)
    network, card = load_checkpoint(paths.model, torch.device("cpu"))
    if arguments.bits:
        device, config = pick_device("cpu"), TrainConfig()
        network.requires_grad_(False)
        with Corpus.open(paths) as corpus:
            rows = np.sort(np.random.default_rng(config.seed).permutation(corpus.live_rows())[:SAMPLE])
            sample = corpus.thumbnails()[rows]
        rotate_long_bits(network.hashing, torch.from_numpy(encode_images(network, sample, device)))
        learn_short_bits(network.hashing, view_codes(network, sample, config, device), config.seed)
    fields = {name: value for name, value in asdict(card).items() if name not in FILLED_IN}
    fields["training"] |= {"data": arguments.data, "command": arguments.command}
    print(save_checkpoint(SHIPPED, network.state_dict(), **fields))


if __name__ == "__main__":
    main()
