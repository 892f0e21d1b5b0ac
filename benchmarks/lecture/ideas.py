"""The README's table from each idea of the lecture to its command, its file and the figure that was measured of it.

Pictures are not in the repository: each `imgsearch lab NAME` draws its own into lab/NAME.png.
"""

import statistics
from collections.abc import Callable
from typing import Any

Results = dict[str, dict[str, Any]]


def render_ideas(results: Results) -> str:
    """The table; `results` are the raw results by name, without "lecture_"."""
    lines = ["| idea | command | file | figure |", "|---|---|---|---|"]
    for idea, command, file, figure in IDEAS:
        told = figure if isinstance(figure, str) else figure(results)
        lines.append(f"| {idea} | {command} | {file} | {told} |")
    return "\n".join(lines)


def _digits(kind: str, figure: str, form: str) -> Callable[[Results], str]:
    """The means over the runs, linear or plain first: "12.59 → 3.00"."""

    def told(results: Results) -> str:
        runs = [run["figures"] for run in results["digits"]["runs"][kind]["runs"]]
        by_network = [
            run[figure] if figure in run else {name: each[figure] for name, each in run.items()} for run in runs
        ]
        names = [name for name in by_network[0] if name != "nothing"]
        return " → ".join(form.format(statistics.fmean(run[name] for run in by_network)) for name in names)

    return told


def _pretraining(results: Results) -> str:
    errors = results["pretraining"]["squared_error"]
    return ", ".join(f"{name} {error:.1f}" for name, error in errors.items()) + " (squared error of a test digit)"


def _unpooling(results: Results) -> str:
    ways = results["unpool"]["repetitions"][0]["unpoolings"]
    errors = ", ".join(f"{name} {way['error']:.4f}" for name, way in ways.items())
    copies = ", ".join(f"{way['recall@1']:.0%}" for way in ways.values())
    return f"error {errors}; distorted copies found {copies}"


def _texts(results: Results) -> str:
    share = results["text"]["mean"]
    return (
        f"{share['LSA-10'][0]:.3f} → {share['AE-10'][0]:.3f} of the nearest posts are of the group (LSA, autoencoder)"
    )


def _ladder(results: Results) -> str:
    budgets = {name: seeds for name, seeds in results["ladder"].items() if name != "machine"}
    best = min(
        (seed for seeds in budgets.values() for seed in seeds.values()), key=lambda seed: seed["ladder"]["error"]
    )
    return f"{best['labels only']['error']:.1%} → {best['ladder']['error']:.2%} of the test digits wrong, 100 labels"


def _finetune(results: Results) -> str:
    measured = next(value for name, value in results["finetune"].items() if name.startswith("1000 "))
    return f"P@10 {measured['before']['P@10']:.3f} → {measured['after']['P@10']:.3f} by 1,000 labels"


SQUARED_ERROR = "squared error of a test digit"
IDEAS: tuple[tuple[str, str, str, str | Callable[[Results], str]], ...] = (
    (
        "the linear autoencoder is PCA: " + SQUARED_ERROR,
        "`imgsearch train --network pca`",
        "`autoencoder/pca.py`",
        lambda results: f"{_digits('digits-30:default', 'squared_error', '{:.2f}')(results).split(' → ')[0]} with 30",
    ),
    (
        "deep, fully connected (2006, 2011), tied weights or not: " + SQUARED_ERROR,
        "`imgsearch train --network dense --sizes 3072-1024-256 --tied`",
        "`autoencoder/dense.py`",
        lambda results: f"{_digits('digits-30:full', 'squared_error', '{:.2f}')(results).split(' → ')[1]} with 30",
    ),
    (
        "digits through 30 numbers, beside PCA-30: " + SQUARED_ERROR,
        "`imgsearch lab digits-30`",
        "`lab/digits.py`",
        lambda results: (
            f"{_digits('digits-30:default', 'squared_error', '{:.2f}')(results)}; at full size "
            f"{_digits('digits-30:full', 'squared_error', '{:.2f}')(results).split(' → ')[1]}"
        ),
    ),
    (
        "digits in the plane of a code of two numbers, beside PCA-2: named right by ten neighbours",
        "`imgsearch lab digits-2d`",
        "`lab/digits.py`",
        _digits("digits-2d:default", "neighbours_right", "{:.1%}"),
    ),
    (
        "layers that learn alone first: restricted Boltzmann machines (2006), small autoencoders (2007); a deep belief "
        "network draws digits",
        "`imgsearch train --sizes 3072-1024-256 --pretrain rbm --objective reconstruct`; `imgsearch lab pretraining`",
        "`autoencoder/rbm.py`, `autoencoder/pretrain.py`, `lab/pretraining.py`",
        _pretraining,
    ),
    (
        "noisy in, clean out (2008): squared error of a noisy digit, plain and denoising",
        "`imgsearch train --objective denoise`; `imgsearch lab denoise`",
        "`autoencoder/objectives.py`, `lab/noise.py`",
        _digits("denoise:default", "squared_error_of_noisy", "{:.1f}"),
    ),
    (
        "codes that move only where digits vary (2011): squared Jacobian, plain and contractive",
        "`imgsearch train --objective reconstruct+0.1*contractive`; `imgsearch lab contract`",
        "`autoencoder/objectives.py`, `lab/contraction.py`",
        _digits("contract:default", "squared_jacobian", "{:.0f}"),
    ),
    (
        "unpooling: deconvolution, repeated values, or switches that remember the maxima",
        "`imgsearch train --unpool repeat`; `imgsearch lab unpool`",
        "`autoencoder/pooling.py`, `lab/unpooling.py`",
        _unpooling,
    ),
    ("deconvolution is convolution", "`imgsearch lab deconv`", "`lab/deconvolution.py`", "equal, number by number"),
    (
        "pictures from codes: the plane of digits, walks, samples",
        "`imgsearch lab generate`",
        "`lab/generation.py`, `retrieval/directions.py`",
        "`lab/generate.png`",
    ),
    (
        "texts by the codes of their words: 2000-500-250-125-10, beside latent semantic analysis",
        '`imgsearch train --text`; `imgsearch search --text "red flower"`; `imgsearch lab text`',
        "`corpus/words.py`, `autoencoder/text.py`, `retrieval/text_search.py`, `lab/texts.py`",
        _texts,
    ),
    (
        "few labels: the ladder network (2015)",
        "`imgsearch train --network ladder`; `imgsearch lab ladder`",
        "`autoencoder/ladder.py`, `lab/ladders.py`",
        _ladder,
    ),
    (
        "pre-trained, then a softmax on the code and back-propagation",
        "`imgsearch finetune --labels labels.csv`",
        "`autoencoder/labelled_terms.py`, `finetune.py`",
        _finetune,
    ),
    (
        "a map of your own pictures: t-SNE (2008) and PCA, by codes beside by pixels",
        "`imgsearch lab map`, or *Explore* in `imgsearch app`",
        "`retrieval/plane.py`, `lab/maps.py`",
        "`docs/explore.png`",
    ),
    (
        "what a code keeps, which way its numbers turn a picture, walks between pictures",
        "*Explore* in `imgsearch app`",
        "`web/playground.py`",
        "`docs/explore.png`",
    ),
    ("the whole story on one page", "`imgsearch lab all`", "`lab/story.py`", "`lab/index.html`"),
)
