"""The grammar of the commands that make models and look into them. Imports nothing heavy, so that `--help` is quick."""

import argparse
from pathlib import Path
from typing import Any

from imgsearch.cli.parser_options import command, count, device, positive, share


def add_train(commands: Any) -> None:
    """`imgsearch train`."""
    parser = command(
        commands,
        "train",
        "fine-tune the autoencoder on the corpus; Ctrl-C keeps the best so far, and the next train goes on",
        "imgsearch train",
        "imgsearch train --minutes 30 --seed 7",
        "imgsearch train --from scratch --epochs 20 --batch-size 512 --device cpu",
        "imgsearch train --network dense --sizes 3072-1024-256 --tied --objective reconstruct+0.1*contractive",
        "imgsearch train --sizes 3072-1024-256 --pretrain rbm --objective reconstruct",
        "imgsearch train --network pca",
        "imgsearch train --text",
    )
    parser.add_argument(
        "--text",
        action="store_true",
        help="learn from what is written of the images instead, their alt texts and labels: the 2000 commonest words "
        "to a code of 128 numbers, 2000-500-250-125-128 (Hinton & Salakhutdinov 2006), in 2 minutes by default",
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=positive, metavar="M", help="how long to train (default: 10)")
    budget.add_argument("--epochs", type=count, metavar="N", help="passes over the corpus, instead of a time")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="scratch|CHECKPOINT",
        help="start anew, or from the model in a folder (default: an interrupted run goes on, else the current model)",
    )
    parser.add_argument(
        "--batch-size", type=count, default=256, metavar="N", help="images a step (default: 256; more for long runs)"
    )
    parser.add_argument(
        "--keep", choices=("better", "new"), default="better", help="which model stays: the better one, or the new one"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of every random choice (default: 0)")
    _network(parser)
    _objective(parser)
    device(parser)
    parser.add_argument("--json", action="store_true", help="print the model's card as JSON")


def _network(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("another network (trained from scratch; then reindex)")
    group.add_argument(
        "--network",
        choices=("conv", "dense", "ladder", "pca"),
        help="conv: convolutions to 8192-4096-2048-1024-512 and a code of 256 (the default); dense: fully connected, "
        "as Krizhevsky & Hinton 2011; ladder: for a corpus of which a few images have labels (Rasmus et al. 2015); "
        "pca: the linear autoencoder, fitted exactly",
    )
    group.add_argument(
        "--sizes",
        metavar="N-N-N",
        help="of a dense network (default: 3072-8192-4096-2048-1024-512-256), of a ladder to its code "
        "(3072-2048-1024-512-256), or pca's two",
    )
    group.add_argument(
        "--activation",
        choices=("relu", "silu", "sigmoid"),
        help="of a dense network's hidden layers (default: relu; with --pretrain rbm sigmoid, which machines have)",
    )
    group.add_argument(
        "--tied", action="store_true", help="a dense decoder uses the encoder's weights, transposed: half as many"
    )
    group.add_argument(
        "--unpool",
        choices=("transpose", "repeat", "switches"),
        help="how a conv decoder doubles the side: by deconvolution (the default), by repeated values, or by the "
        "places of the maxima (Zeiler et al. 2011): these carry the picture around the code, which then holds less, "
        "so a model to search with is refused",
    )
    group.add_argument("--force", action="store_true", help="take switches all the same")
    group.add_argument(
        "--pretrain",
        choices=("rbm", "layerwise"),
        help="of a dense network: its layers learn alone, one after another, in the first 30 percent of the budget, as "
        "restricted Boltzmann machines (Hinton & Salakhutdinov 2006) or as autoencoders of one layer (Bengio et al. "
        "2007)",
    )


def _objective(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is learned")
    group.add_argument(
        "--objective",
        metavar="SUM",
        help="a sum of terms, such as reconstruct+0.1*contractive. agree: two views of an image have one code, and are "
        "reconstructed (Chen et al. 2020; the default); reconstruct: images come out as they went in (the lecture's); "
        "denoise: noisy in, clean out (Vincent et al. 2008); contractive: codes move little when images do (Rifai et "
        "al. 2011); classify: codes tell the corpus's labels, as finetune; ladder: what the network ladder learns",
    )
    group.add_argument("--noise", choices=("gaussian", "mask"), default="gaussian", help="of denoise")
    group.add_argument(
        "--noise-level", type=share, default=0.3, metavar="X", help="its deviation, or the share that is lost"
    )


def add_finetune(commands: Any) -> None:
    """`imgsearch finetune`."""
    parser = command(
        commands,
        "finetune",
        "teach the current model the labels of some images: a softmax on the code, and back-propagation through it all",
        "imgsearch finetune",
        "imgsearch finetune --labels labels.csv --minutes 10",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="a CSV file with the columns label and row or url (default: the labels that the corpus carries)",
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=positive, metavar="M", help="how long to train (default: 5)")
    budget.add_argument("--epochs", type=count, metavar="N", help="passes over the corpus, instead of a time")
    parser.add_argument(
        "--objective", metavar="SUM", default="classify", help="what is learned (default: classify; or agree+classify)"
    )
    parser.add_argument(
        "--held-out",
        type=share,
        default=0.2,
        metavar="X",
        help="share of the labels that is not learned but asks which model finds more (default: 0.2)",
    )
    parser.add_argument(
        "--keep", choices=("better", "new"), default="better", help="which model stays: the better one, or the new one"
    )
    parser.add_argument("--batch-size", type=count, default=256, metavar="N", help="images a step (default: 256)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of every random choice (default: 0)")
    device(parser)
    parser.add_argument("--json", action="store_true", help="print the model's card as JSON")


def add_lab(commands: Any) -> None:
    """`imgsearch lab`."""
    parser = command(
        commands,
        "lab",
        "the lecture's experiments: each draws a picture, prints a table, and leaves both in lab/",
        "imgsearch lab digits-30",
        "imgsearch lab deconv --size small --json",
        "imgsearch lab digits-30 --data mnist.npz --size full",
        "imgsearch lab all --size small",
    )
    parser.add_argument(
        "name",
        metavar="NAME",
        help="which one, or all, which writes the page lab/index.html; an unknown name lists them",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="digits (mnist.npz), posts (20news-bydate.zip) or a folder of both, instead of a download",
    )
    parser.add_argument(
        "--size",
        choices=("small", "default", "full"),
        default="default",
        help="small: seconds; default: at most ten minutes on two cores; full: as published",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of every random choice (default: 0)")
    device(parser)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
