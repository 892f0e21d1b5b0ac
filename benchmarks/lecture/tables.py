"""Tables of the lecture's experiments for docs/lecture.md."""

import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.lecture.ideas import render_ideas
from benchmarks.machine import MACHINE, machine_of, read_result

RESULTS = {  # name in `ideas` → raw result
    "digits": "lecture_digits",
    "pretraining": "lecture_pretraining",
    "unpool": "lecture_unpool",
    "text": "lecture_text",
    "ladder": "lecture_ladder",
    "finetune": "finetune",
}
DIGITS_ROWS = (  # experiment, measure, figure, baseline, network, format
    ("digits-30", "squared error of a test digit", "squared_error", "PCA-30", "deep-30", "{:.2f}"),
    ("digits-2d", "10-NN accuracy in the plane", "neighbours_right", "PCA-2", "deep-2", "{:.1%}"),
    ("denoise", "squared error of a noisy digit", "squared_error_of_noisy", "plain", "denoising", "{:.1f}"),
    ("denoise", "squared error of a clean digit", "squared_error_of_clean", "plain", "denoising", "{:.2f}"),
    ("contract", "squared norm of the Jacobian", "squared_jacobian", "plain", "contractive", "{:.1f}"),
    (
        "contract",
        "singular values above a tenth of the largest",
        "directions",
        "plain",
        "contractive",
        "{:.0f}",
    ),
    ("contract", "squared error of a test digit", "squared_error", "plain", "contractive", "{:.2f}"),
)
UNPOOL_ROWS = {
    "error": "squared error per value of the reconstruction",
    "linear_error": "squared error per value of a linear decoder of the code",
    "p@10": "P@10",
    "recall@1": "distorted copies that find their original",
}
TEXT_METHODS = {
    "AE": "autoencoder, {} numbers",
    "LSA": "latent semantic analysis, {} numbers",
    "TF-IDF": "all words (TF-IDF)",
}


def render_all() -> dict[str, str]:
    """Return the blocks of docs/lecture.md by name."""
    results = {name: read_result(file) for name, file in RESULTS.items()}
    return {
        "ideas": render_ideas(results),
        "digits": render_digits(results["digits"]),
        "more": render_more(results),
        "texts": render_texts(results["text"]),
    }


def render_digits(result: dict[str, Any]) -> str:
    """Return what the experiments on MNIST measure, one row for each figure."""
    lines = ["| `imgsearch lab` | measure | linear or plain | deep, denoising or contractive | runs |"]
    lines.append("|---|---|---|---|---|")
    for kind, measured in result["runs"].items():
        name, size = kind.split(":")
        command = f"`{name}`" if size == "default" else f"`{name} --size {size}`"
        minutes = statistics.median(run["processor_seconds"] for run in measured["runs"]) / 60
        runs = f"{len(measured['runs'])} of {minutes:.1f} core minutes"
        for experiment, measure, figure, before, after, form in DIGITS_ROWS:
            if experiment == name:
                found = [run["figures"] for run in measured["runs"]]
                cells = [
                    _spread([_figure(each, network, figure) for each in found], form) for network in (before, after)
                ]
                lines.append(f"| {command} | {measure} | {cells[0]} | {cells[1]} | {runs} |")
    lines += ["", f"MNIST: 60,000 training digits, 10,000 test digits. {machine_of(result)}."]
    return "\n".join(lines)


def render_more(results: dict[str, dict[str, Any]]) -> str:
    """Return what pre-training, unpooling and the ladder network achieve."""
    rows = [*_pretraining(results["pretraining"]), *_unpooling(results["unpool"]), *_ladder(results["ladder"])]
    lines = ["| `imgsearch lab` | measure | figures |", "|---|---|---|"]
    for experiment, measure, figures in rows:
        listed = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        lines.append(f"| `{experiment}` | {measure} | {listed} |")
    lines += ["", f"One seed unless several are named. {machine_of(results['ladder'])}."]
    return "\n".join(lines)


Row = tuple[str, str, dict[str, str]]  # experiment, measure, name → figure


def _pretraining(result: dict[str, Any]) -> Iterator[Row]:
    errors = {name: f"{error:.1f}" for name, error in result["squared_error"].items()}
    yield "pretraining", f"MNIST, {result['sizes']} of sigmoid units, squared error of a test digit", errors
    for number, n in enumerate(result["labels"]):
        wrong = {name: f"{shares[number]:.1%}" for name, shares in result["wrong"].items()}
        yield "pretraining", f"MNIST, 784-1000-1000-500-10 with {n:,} labels, test error", wrong


def _unpooling(result: dict[str, Any]) -> Iterator[Row]:
    (run,) = result["repetitions"]
    for key, measure in UNPOOL_ROWS.items():
        figures = {name: f"{found[key]:.3g}" for name, found in run["unpoolings"].items()}
        yield "unpool", f"{run['n_images']:,} CIFAR-10 images, {measure}", figures


def _ladder(result: dict[str, Any]) -> Iterator[Row]:
    budgets = {name: list(seeds.values()) for name, seeds in result.items() if name != MACHINE}
    for budget, seeds in sorted(budgets.items()):
        found = {name: [seed[name]["error"] for seed in seeds] for name in ("labels only", "ladder")}
        steps = statistics.fmean(seed["ladder"]["steps"][-1] for seed in seeds)
        measure = f"MNIST, 100 labels, {budget}, {steps:,.0f} steps, test error"
        yield "ladder", measure, {name: _spread(errors, "{:.2%}") for name, errors in found.items()}


def render_texts(result: dict[str, Any]) -> str:
    """Return the share of same-group posts among the N nearest, one row for each code."""
    lines = [
        f"| nearest by | {' | '.join(f'{n:,} nearest' for n in result['n'])} |",
        f"|---|{'---|' * len(result['n'])}",
    ]
    for name, shares in result["mean"].items():
        kind, _, size = name.rpartition("-") if name != "TF-IDF" else (name, "", "")
        lines.append(f"| {TEXT_METHODS[kind].format(size)} | {' | '.join(f'{share:.3f}' for share in shares)} |")
    spread = max(max(values) for values in result["std"].values())
    minutes = statistics.mean(result["processor_seconds"]) / 60
    lines += [
        "",
        f"Share of a post's own group among the posts nearest to it. {result['data']} Mean of {len(result['seeds'])} "
        f"seeds (standard deviation at most {spread:.3f}) on {machine_of(result)}; three trainings and all rankings "
        f"took {minutes:.1f} core minutes.",
    ]
    return "\n".join(lines)


def _figure(figures: dict[str, Any], network: str, figure: str) -> float:
    """Return one figure of a run; the two levels of names may be nested either way."""
    return float(figures[network][figure] if network in figures else figures[figure][network])


def _spread(values: list[float], form: str) -> str:
    """Return the mean of the runs, with the range if they differ."""
    mean, low, high = (form.format(value) for value in (statistics.fmean(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low} to {high})"
