"""The table in docs/lecture.md that maps each idea of the lecture to its command, its modules and its measured figure.

Pictures are not committed: `imgsearch lab NAME` draws them into lab/NAME.png of the index directory.
"""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

Results = dict[str, dict[str, Any]]


def render_ideas(results: Results) -> str:
    """Return the table; `results` maps names (see `tables.RESULTS`) to raw results."""
    lines = ["| idea | command | module | figure |", "|---|---|---|---|"]
    for idea, command, modules, figure in IDEAS:
        links = ", ".join(f"[{Path(module).name}](../imgsearch/{module})" for module in modules)
        lines.append(f"| {idea} | {command} | {links} | {figure if isinstance(figure, str) else figure(results)} |")
    return "\n".join(lines)


def _digits(kind: str, figure: str, form: str) -> Callable[[Results], str]:
    """Return a function that renders the means over the runs, the baseline first: "12.59 → 3.00"."""

    def render(results: Results) -> str:
        runs = [run["figures"] for run in results["digits"]["runs"][kind]["runs"]]
        by_network = [
            run[figure] if figure in run else {name: each[figure] for name, each in run.items()} for run in runs
        ]
        names = [name for name in by_network[0] if name != "nothing"]
        return " → ".join(form.format(statistics.fmean(run[name] for run in by_network)) for name in names)

    return render


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
    shares = f"{share['LSA-10'][0]:.3f} → {share['AE-10'][0]:.3f}"
    return f"{shares} of the nearest posts are of the same group (LSA → autoencoder)"


def _ladder(results: Results) -> str:
    budgets = {name: seeds for name, seeds in results["ladder"].items() if name != "machine"}
    best = min(
        (seed for seeds in budgets.values() for seed in seeds.values()), key=lambda seed: seed["ladder"]["error"]
    )
    return f"{best['labels only']['error']:.1%} → {best['ladder']['error']:.2%} test error with 100 labels"


def _finetune(results: Results) -> str:
    runs = [value for name, value in results["finetune"].items() if name.startswith("1000 ")]
    before, after = (statistics.fmean(run[when]["P@10"] for run in runs) for when in ("before", "after"))
    return f"P@10 {before:.3f} → {after:.3f} with 1,000 labels (mean of {len(runs)} seeds)"


SQUARED_ERROR = "squared error of a test digit"
# idea, commands, modules under imgsearch/, figure (or a function that renders it)
IDEAS: tuple[tuple[str, str, tuple[str, ...], str | Callable[[Results], str]], ...] = (
    (
        "a linear autoencoder is PCA: " + SQUARED_ERROR,
        "`imgsearch train --network pca`",
        ("autoencoder/networks/pca.py",),
        lambda results: f"{_digits('digits-30:default', 'squared_error', '{:.2f}')(results).split(' → ')[0]} with 30",
    ),
    (
        "deep, fully connected (2006, 2011), tied weights or not: " + SQUARED_ERROR,
        "`imgsearch train --network dense --sizes 3072-1024-256 --tied`",
        ("autoencoder/networks/dense.py",),
        lambda results: f"{_digits('digits-30:full', 'squared_error', '{:.2f}')(results).split(' → ')[1]} with 30",
    ),
    (
        "digits through a code of 30 numbers, beside PCA-30: " + SQUARED_ERROR,
        "`imgsearch lab digits-30`",
        ("lab/experiments/digits.py",),
        lambda results: (
            f"{_digits('digits-30:default', 'squared_error', '{:.2f}')(results)}; at full size "
            f"{_digits('digits-30:full', 'squared_error', '{:.2f}')(results).split(' → ')[1]}"
        ),
    ),
    (
        "digits in a plane, by a code of two numbers and by PCA-2: 10-NN accuracy",
        "`imgsearch lab digits-2d`",
        ("lab/experiments/digits.py",),
        _digits("digits-2d:default", "neighbours_right", "{:.1%}"),
    ),
    (
        "layer-wise pre-training by restricted Boltzmann machines (2006) or small autoencoders (2007); a deep belief "
        "network generates digits",
        "`imgsearch train --sizes 3072-1024-256 --pretrain rbm --objective reconstruct`; `imgsearch lab pretraining`",
        ("autoencoder/pretraining/rbm.py", "autoencoder/pretraining/pretrain.py", "lab/experiments/pretraining.py"),
        _pretraining,
    ),
    (
        "denoising autoencoder (2008): squared error of a noisy digit, plain → denoising",
        "`imgsearch train --objective denoise`; `imgsearch lab denoise`",
        ("autoencoder/objectives/unsupervised.py", "lab/experiments/noise.py"),
        _digits("denoise:default", "squared_error_of_noisy", "{:.1f}"),
    ),
    (
        "contractive autoencoder (2011): squared norm of the Jacobian, plain → contractive",
        "`imgsearch train --objective reconstruct+0.1*contractive`; `imgsearch lab contract`",
        ("autoencoder/objectives/unsupervised.py", "lab/experiments/contraction.py"),
        _digits("contract:default", "squared_jacobian", "{:.0f}"),
    ),
    (
        "unpooling: deconvolution, repeated values, or switches (the positions of the maxima)",
        "`imgsearch train --unpool repeat`; `imgsearch lab unpool`",
        ("autoencoder/networks/pooling.py", "lab/experiments/unpooling.py"),
        _unpooling,
    ),
    (
        "deconvolution is convolution",
        "`imgsearch lab deconv`",
        ("lab/experiments/deconvolution.py",),
        "equal, number by number",
    ),
    (
        "images generated from codes: a grid of the plane, interpolation, samples",
        "`imgsearch lab generate`",
        ("lab/experiments/generation.py", "retrieval/explore/directions.py"),
        "draws `lab/generate.png`",
    ),
    (
        "text retrieval by a code of the words: 2000-500-250-125-10, beside latent semantic analysis",
        '`imgsearch train --text`; `imgsearch search --text "red flower"`; `imgsearch lab text`',
        ("corpus/words.py", "autoencoder/recipes.py", "retrieval/text/text_search.py", "lab/experiments/texts.py"),
        _texts,
    ),
    (
        "few labels: the ladder network (2015)",
        "`imgsearch train --network ladder`; `imgsearch lab ladder`",
        ("autoencoder/networks/ladder.py", "lab/experiments/ladders.py"),
        _ladder,
    ),
    (
        "fine-tuning with labels: a softmax on the code",
        "`imgsearch finetune --labels labels.csv`",
        ("autoencoder/objectives/labelled.py",),
        _finetune,
    ),
    (
        "a map of your own images: t-SNE (2008) and PCA, by code and by pixels",
        "`imgsearch lab map`, or *Explore* in `imgsearch app`",
        ("retrieval/explore/image_map.py", "lab/experiments/maps.py"),
        "[picture](explore.png)",
    ),
    (
        "what a code keeps, the directions of the code space, interpolation between images",
        "*Explore* in `imgsearch app`",
        ("web/playground.py",),
        "[picture](explore.png)",
    ),
    ("all experiments on one page", "`imgsearch lab all`", ("lab/lecture.py",), "writes `lab/index.html`"),
)
