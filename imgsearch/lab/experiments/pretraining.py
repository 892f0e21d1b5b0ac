"""Deep sigmoid networks trained from a random start and after layer-wise pre-training.

Sources: Hinton & Salakhutdinov 2006 (a deep autoencoder hardly learns from a random start, but does after restricted
Boltzmann machines); Bengio et al. 2007 (small autoencoders work as well); Erhan et al. 2010 (few labels).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig, TrainProgress
from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.training.train import train
from imgsearch.lab.datasets import Digits, digits
from imgsearch.lab.drawing import Panel, panels_and_strip
from imgsearch.lab.experiments.learning import FEW, in_unit, squared_error
from imgsearch.lab.finding import Finding, Lab
from imgsearch.lab.stacks import balanced_rows, draw_digits, expect_running, learned_error, pretrained
from imgsearch.progress import part_of

STARTS = {
    "random start": "",
    "machines": "rbm",
    "layer-wise": "layerwise",
}  # name in the table: value of `TrainConfig.pretrain`
RATE = 2e-3  # peak learning rate of Adam
DRAWN = 14  # digits in the picture
AUTOENCODERS, STACKS = 0.55, 0.75  # finished share of the work after each part

Curve = tuple[list[float], list[float]]  # epochs and squared errors


@dataclass(frozen=True)
class Size:
    """Extent of the experiment."""

    autoencoder: tuple[int, ...]  # layer sizes after the pixels
    classifier: tuple[int, ...]
    epochs: int  # of the autoencoder, including pre-training
    passes: int  # epochs of pre-training for each layer
    drawing_passes: int  # epochs of the machine that draws
    labels: dict[int, int]  # number of labels: training steps

    @property
    def share(self) -> float:
        """Share of the epochs for pre-training."""
        return self.passes / self.epochs


SMALL = Size((64, 32, 8), (100, 100, 200), 40, 16, 60, {50: 300, 500: 300})
DEFAULT = Size((1000, 500, 250, 30), (1000, 1000, 500), 6, 2, 4, {100: 300, 1000: 800, 10_000: 800})
FULL = Size((1000, 500, 250, 30), (1000, 1000, 500), 60, 20, 40, {100: 1000, 1000: 4000, 10_000: 10_000})


def run(lab: Lab) -> Finding:
    """Measure each start: reconstruction error of test digits, and classification error by number of labels."""
    data, size = digits(lab), lab.by_size(SMALL, DEFAULT, FULL)
    curves, squared = {}, {}
    for number, start in enumerate(STARTS):
        span = AUTOENCODERS * number / len(STARTS), AUTOENCODERS * (number + 1) / len(STARTS)
        curves[start], squared[start] = _autoencoder(lab, data, size, start, span)
    wrong, drawn = _classifiers(lab, data, size)
    counts = list(size.labels)
    sizes = "-".join(map(str, (data.side**2, *size.autoencoder)))
    best = min(list(STARTS)[1:], key=squared.__getitem__)
    few = min(list(STARTS)[1:], key=lambda start: wrong[start][0])
    return Finding(
        name="pretraining",
        title="Layer-wise pre-training",
        source="Hinton & Salakhutdinov 2006; Bengio et al. 2007; Erhan et al. 2010",
        data=data.sentence,
        columns=("start", f"squared error, {sizes}", *(f"wrong with {n:,} labels" for n in counts)),
        lines=tuple((start, f"{squared[start]:.2f}", *(f"{share:.1%}" for share in wrong[start])) for start in STARTS),
        figures={
            "sizes": sizes,
            "epochs": size.epochs,
            "pretraining_passes": size.passes,
            "squared_error": squared,
            "curves": {start: {"epochs": xs, "squared_error": ys} for start, (xs, ys) in curves.items()},
            "labels": counts,
            "steps": list(size.labels.values()),
            "wrong": wrong,
        },
        conclusion=f"From a random start, the deep sigmoid autoencoder reaches an error of "
        f"{squared['random start']:.1f}; after pre-training ({best}) it reaches {squared[best]:.1f} in as many epochs. "
        f"With {counts[0]:,} labels, {wrong['random start'][0]:.0%} of the digits are classified wrongly from a random "
        f"start, and {wrong[few][0]:.0%} after pre-training ({few}).",
        picture=_picture(data, size, curves, wrong, drawn),
    )


def _picture(
    data: Digits, size: Size, curves: dict[str, Curve], wrong: dict[str, list[float]], drawn: NDArray[np.uint8]
) -> bytes:
    """Draw the learning curves, the errors by number of labels, and below them the generated digits."""
    deep, stack = ("-".join(map(str, (data.side**2, *layers))) for layers in (size.autoencoder, size.classifier))
    learned = Panel(
        curves, "epochs, including pre-training", "squared error of a digit", f"autoencoder {deep}", log_y=True
    )
    percent = {start: (list(size.labels), [100 * share for share in shares]) for start, shares in wrong.items()}
    labels = Panel(percent, "labels", "wrong test digits, %", f"softmax on {stack}", log_x=True)
    pictures = drawn.reshape(-1, data.side, data.side)
    return panels_and_strip([learned, labels], pictures, "generated by the deep belief network, from noise")


def _autoencoder(lab: Lab, data: Digits, size: Size, start: str, span: tuple[float, float]) -> tuple[Curve, float]:
    """Train from one start; return the curve of the training error and the final error of test digits."""
    n_values = data.side**2
    epochs: list[float] = []
    errors: list[float] = []

    report = part_of(lab.on_progress, *span)

    def watch(progress: TrainProgress) -> None:
        report(progress.fraction, 1, f"{start}: {progress.doing}")
        if progress.doing.startswith("learning"):
            epochs.append(size.epochs * progress.fraction)
            errors.append(n_values * progress.parts["reconstruction"])

    config = TrainConfig(
        epochs=size.epochs,
        batch_size=256 if len(data.train) > FEW else 64,
        matrix_rate=0.0,  # Adam alone: with Muon, a random start would work too
        learning_rate=RATE,
        objective=(("reconstruct", 1.0),),
        whitening=0.0,
        pretrain=STARTS[start],
        pretrain_share=size.share,
        seed=lab.seed,
        network=DenseConfig((n_values, *size.autoencoder), "sigmoid"),
    )
    paths = lab.scratch(f"pretraining-{STARTS[start] or 'random'}")
    rows = np.arange(len(data.train))
    train(data.train, rows, paths, config, resume=False, device=lab.device, on_progress=watch, stop=lab.stop)
    expect_running(lab)
    trained, _ = load_checkpoint(paths.model, lab.device.device)
    test = in_unit(data.test)
    return (epochs, errors), squared_error(trained, test, test, lab)


def _classifiers(lab: Lab, data: Digits, size: Size) -> tuple[dict[str, list[float]], NDArray[np.uint8]]:
    """Return for each start the test error by number of labels, and digits generated by the machines."""
    sizes = (data.side**2, *size.classifier)
    stacks, n_parts = {}, len(STARTS) + 1
    whole = part_of(lab.on_progress, AUTOENCODERS, STACKS)
    for number, (start, how) in enumerate(STARTS.items()):
        report = part_of(whole, number / n_parts, (number + 1) / n_parts, f"{start}: pre-training for few labels")
        stacks[start] = pretrained(lab, data, sizes, how, size.passes, report)
    report = part_of(whole, len(STARTS) / n_parts, 1, "machines: learning to draw")
    drawn = draw_digits(lab, data, stacks["machines"], DRAWN, size.drawing_passes, report)
    wrong: dict[str, list[float]] = {start: [] for start in STARTS}
    whole = part_of(lab.on_progress, STACKS, 1)
    steps_done, steps = 0, len(STARTS) * sum(size.labels.values())
    for n_labels, n_steps in size.labels.items():
        rows = balanced_rows(data.train_labels, n_labels, lab.seed)
        for start, stack in stacks.items():
            done, steps_done = steps_done, steps_done + n_steps
            report = part_of(whole, done / steps, steps_done / steps, f"{start}: learning from labels")
            wrong[start].append(learned_error(lab, data, stack, rows, n_steps, report))
    return wrong, drawn
