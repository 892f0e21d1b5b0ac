"""The README's tables, made from the raw results. Run: python benchmarks/tables.py (writes them into README.md)

Each stands between `<!-- name -->` and `<!-- /name -->`; a test holds the README to what is made here.
"""

import json
import statistics
from pathlib import Path
from typing import Any

from ideas import render_ideas

RESULTS = Path(__file__).resolve().parent / "results"
DISTORTED = {
    "crop": "cropped to 40-70 % of its area",
    "shift": "shifted by 4 to 8 pixels",
    "mirror": "mirrored",
    "brightness": "brighter or darker",
    "colour": "of another colour cast",
    "jpeg": "compressed to JPEG quality 8-20",
    "rotate": "turned by 8 to 20 degrees",
    "text": "partly covered by letters",
}
LECTURE = {  # what the ideas were measured by
    "digits": "lecture_digits",
    "pretraining": "lecture_pretraining",
    "unpool": "lecture_unpool",
    "text": "lecture_text",
    "ladder": "lecture_ladder",
    "finetune": "finetune",
}
UNPOOLED = {  # what is told of each way to undo pooling
    "error": "error of a reconstruction per value",
    "linear_error": "error of a linear guess from the code",
    "p@10": "P@10",
    "recall@1": "distorted copies that find their original",
}
README = Path(__file__).resolve().parents[1] / "README.md"


def render_all() -> dict[str, str]:
    """Name of each table → its text."""
    development, unseen = _result("development"), _result("unseen")
    return {
        "retrieval": render_retrieval(development),
        "distorted": render_distorted(unseen),
        "unseen": render_unseen(unseen),
        "cutoff": render_cutoff(development),
        "reconstruction": render_reconstruction(_result("reconstruction")),
        "speed": render_speed(_result("speed"), development),
        "training": render_training(_result("training")),
        "texts": render_texts(_result("lecture_text")),
        "lecture-digits": render_lecture_digits(_result("lecture_digits")),
        "ideas": render_ideas({name: _result(file) for name, file in LECTURE.items()}),
        "lecture-more": render_lecture_more(
            _result("lecture_pretraining"), _result("lecture_unpool"), _result("lecture_ladder"), _result("finetune")
        ),
        "crawl": render_crawl(_result("crawl_throughput"), _result("long_crawl")),
    }


def render_retrieval(result: dict[str, Any]) -> str:
    """P@k and the other figures, a line for each method, and how they were measured."""
    labelled, model = result["labelled"], result["card"]
    lines = ["| nearest by | P@1 | P@10 | P@100 | mAP@1000 | 20-NN vote |", "|---|---|---|---|---|---|"]
    for figures in labelled["methods"].values():
        cells = [f"{figures[key]:.3f}" for key in ("p@1", "p@10", "p@100", "map@1000", "knn20")]
        lines.append(f"| {figures['title']} | {' | '.join(cells)} |")
    alone = labelled["without_near_twins"]
    lines += [
        "",
        f"One run on {_machine(result)}. The model: `{model['training']['command']}` on {model['training']['data']}; "
        f"the queries were in no training, but the recipe was chosen by their figures, which flatters it a little. "
        f"AP is divided by the relevant images found in the first 1,000; equal Hamming distances are in random order. "
        f"{labelled['n_near_twins']} of the {labelled['n_queries']:,} queries "
        f"have nearly their own image in the database; without these P@10 is {alone['code']['p@10']:.3f} by code and "
        f"{alone['pixel']['p@10']:.3f} by pixels.",
    ]
    return "\n".join(lines)


def render_distorted(result: dict[str, Any]) -> str:
    """How often the original of a distorted copy comes first, a line for each distortion."""
    found = result["photographs"]
    names = {"pixel": "pixels", "hog": "HOG", "untrained": "untrained code", "code": "code", "binary": "binary code"}
    lines = [f"| the copy is | {' | '.join(names.values())} |", "|---|" + "---|" * len(names)]
    for distortion in found["distortions"]:
        cells = [f"{found['recall'][method][distortion]['top1']:.3f}" for method in names]
        lines.append(f"| {DISTORTED.get(distortion, distortion)} | {' | '.join(cells)} |")
    cells = [f"**{found['mean'][method]['top1']:.3f}**" for method in names]
    lines += [
        f"| mean | {' | '.join(cells)} |",
        "",
        f"{found['n_rows']:,} of {found['n_database']:,} unlabelled photographs, each distorted in every way; "
        "the share whose original comes first.",
    ]
    return "\n".join(lines)


def render_unseen(result: dict[str, Any]) -> str:
    """P@10 on images of other kinds than the model was trained on."""
    names = {"pixel": "pixels", "hog": "HOG", "code": "code", "binary": "binary code"}
    lines = [f"| P@10 | {' | '.join(names.values())} |", "|---|" + "---|" * len(names)]
    for key, what in (("mnist", "handwritten digits (MNIST)"), ("gallery", "the demo's drawn gallery")):
        found = result[key]
        cells = [f"{found['methods'][method]['p@10']:.3f}" for method in names]
        lines.append(f"| {what}: {found['n_queries']:,} among {found['n_database']:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def render_cutoff(result: dict[str, Any]) -> str:
    """How often a good match is said to be there, where one is and where none can be."""
    found = result["cutoff"]
    rates = found["methods"]["code"]
    return (
        f"On the same images, of {found['n_queries']:,} queries {rates['match']:.0%} get a good match by code; when "
        f"all images of the query's label are left out, {rates['false_match']:.0%} of them still get one, and "
        f"{rates['false_same']:.1%} one that is called the *same*. A nearest hit that is called good has the query's "
        f"label in {rates['right_if_good']:.0%} of the cases, a weak one in {rates['right_if_weak']:.0%}."
    )


def render_reconstruction(result: dict[str, Any]) -> str:
    """What agreement costs the reconstruction."""
    names = {
        "reconstruction_alone": f"for reconstruction alone, {result['minutes']:g} minutes",
        "both": f"for reconstruction and agreement, {result['minutes']:g} minutes",
        "shipped": "the shipped model (longer, on more images)",
    }
    lines = ["| trained | error per value | P@10 |", "|---|---|---|"]
    for key, name in names.items():
        model = result["models"][key]
        lines.append(f"| {name} | {model['reconstruction_error']:.4f} | {model['p@10']:.3f} |")
    ratio = (
        result["models"]["both"]["reconstruction_error"]
        / result["models"]["reconstruction_alone"]["reconstruction_error"]
    )
    lines += [
        "",
        f"In equal time, agreement makes the error {ratio - 1:.0%} larger. Trained with "
        f"{result['torch_threads']} of {_machine(result)}; one run.",
    ]
    return "\n".join(lines)


def render_speed(result: dict[str, Any], development: dict[str, Any]) -> str:
    """Throughput and latency, medians of the repetitions."""
    rate = {name: statistics.median(result[name]) for name in result if name.endswith("_per_second")}
    lines = [
        f"| on {_machine(result)} | median |",
        "|---|---|",
        f"| `imgsearch add` of 50,000 small JPEGs in a zip | {rate['add_images_per_second']:,.0f} images/s |",
        f"| encoding | {statistics.median(development['encode_images_per_second']):,.0f} images/s |",
    ]
    for name, by in (("code", "code"), ("pixel", "pixels"), ("binary", "binary code")):
        lines.append(
            f"| exact search by {by} among {result['images']:,} | {_latency(result[f'{name}_search_seconds'])} |"
        )
    lines += ["", "Medians of 5 repetitions, or of 200 queries."]
    return "\n".join(lines)


def render_crawl(throughput: dict[str, Any], long: dict[str, Any]) -> str:
    """The crawler beside img2dataset, and how a long crawl ends."""
    lines = [
        f"| images kept per second (processor time of each), on {_machine(throughput)} | with previews | "
        f"thumbnails alone | img2dataset {throughput['img2dataset']} |",
        "|---|---|---|---|",
    ]
    for key, what in (("small", "JPEGs of 32×32"), ("large", "JPEGs of 1000×800")):
        runs = throughput[key]
        cells = []
        for way in ("imgsearch", "imgsearch_without_previews", "img2dataset"):
            rate, used = (
                statistics.median(run[name] for run in runs[way])
                for name in ("images_per_second", "cpu_seconds_per_image")
            )
            cells.append(f"{rate:,.0f} ({1e3 * used:.1f} ms), {runs['ratios'][way]:.2f}×")
        lines.append(f"| {runs['images']:,} {what} | {' | '.join(cells)} |")
    first, last = long["lines"][0], long["lines"][-1]
    lines += [
        "",
        f"Medians of {throughput['repetitions']} turns, one server on loopback, politeness off on both sides. "
        f"A crawl of {long['urls']:,} URLs takes {last['resident_mb']:.0f} MB of memory at its end "
        f"({first['resident_mb']:.0f} MB after {first['urls']:,}) and {last['claim_ms']:.3f} ms to claim a URL and "
        f"{last['settle_ms']:.3f} ms to settle it (one run, the last tenth).",
    ]
    return "\n".join(lines)


def render_training(result: dict[str, Any]) -> str:
    """What each means of saving time is worth."""
    shares = result["share_of_as_it_is"]
    lines = [
        f"| a step of training, {_machine(result)} | images/s, as a share |",
        "|---|---|",
    ]
    for name, share in shares.items():
        rate = f" ({statistics.median(result['images_per_second'][name]):,.0f} images/s)" if share == 1 else ""
        lines.append(f"| {name} | {share:.2f}{rate} |")
    top = ", ".join(f"{name.removeprefix('aten::')} {share:.0%}" for name, share in list(result["profile"].items())[:6])
    lines += ["", f"Medians of {result['rounds']} turns. The largest parts of a step: {top}."]
    return "\n".join(lines)


def render_texts(result: dict[str, Any]) -> str:
    """The share of same-group posts among the N nearest, a line for each code."""
    lines = [
        f"| nearest by | {' | '.join(f'of {n:,}' for n in result['n'])} |",
        f"|---|{'---|' * len(result['n'])}",
    ]
    titles = {
        "AE": "autoencoder, {} numbers",
        "LSA": "latent semantic analysis, {} numbers",
        "TF-IDF": "all words (TF-IDF)",
    }
    for name, shares in result["mean"].items():
        kind, _, size = name.rpartition("-") if name != "TF-IDF" else (name, "", "")
        lines.append(f"| {titles[kind].format(size)} | {' | '.join(f'{share:.3f}' for share in shares)} |")
    spread = max(max(values) for values in result["std"].values())
    lines += [
        "",
        f"Share of a post's own group among the posts nearest to it. {result['data']} Mean of {len(result['seeds'])} "
        f"seeds (deviation at most {spread:.3f}) on {_machine(result)}; three trainings and all rankings took "
        f"{statistics.mean(result['processor_seconds']) / 60:.1f} minutes of one core.",
    ]
    return "\n".join(lines)


def render_lecture_digits(result: dict[str, Any]) -> str:
    """What the lecture's experiments on digits find on MNIST."""
    lines = ["| `imgsearch lab` | what is measured | linear, or plain | deep, denoising or contractive | runs |"]
    lines.append("|---|---|---|---|---|")
    rows = (
        ("digits-30", "squared error of a test digit", "squared_error", "PCA-30", "deep-30", "{:.2f}"),
        ("digits-2d", "named right by ten neighbours in the plane", "neighbours_right", "PCA-2", "deep-2", "{:.1%}"),
        ("denoise", "squared error of a noisy digit", "squared_error_of_noisy", "plain", "denoising", "{:.1f}"),
        ("denoise", "of a clean one", "squared_error_of_clean", "plain", "denoising", "{:.2f}"),
        ("contract", "squared Jacobian", "squared_jacobian", "plain", "contractive", "{:.1f}"),
        ("contract", "directions that count", "directions", "plain", "contractive", "{:.0f}"),
        ("contract", "squared error of a test digit", "squared_error", "plain", "contractive", "{:.2f}"),
    )
    for kind, measured in result["runs"].items():
        name, size = kind.split(":")
        command = f"`{name}`" if size == "default" else f"`{name} --size {size}`"
        seconds = statistics.median(run["processor_seconds"] for run in measured["runs"])
        runs = f"{len(measured['runs'])}, {seconds / 60:.1f} minutes of a core"
        for which, what, figure, before, after, form in rows:
            if which != name:
                continue
            cells = []
            for network in (before, after):
                found = [run["figures"] for run in measured["runs"]]
                values = [each[network][figure] if network in each else each[figure][network] for each in found]
                cells.append(_spread(values, form))
            lines.append(f"| {command} | {what} | {cells[0]} | {cells[1]} | {runs} |")
    lines += ["", f"MNIST: 60,000 digits to train on, 10,000 to test. {_machine(result)}."]
    return "\n".join(lines)


def render_lecture_more(
    pretraining: dict[str, Any], unpool: dict[str, Any], ladder: dict[str, Any], finetune: dict[str, Any]
) -> str:
    """What pre-training, unpooling, a ladder and labels of one's own bring, a line for each."""
    lines = ["| | what is measured | figures |", "|---|---|---|"]

    def line(command: str, what: str, figures: dict[str, str]) -> None:
        told = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        lines.append(f"| `imgsearch {command}` | {what} | {told} |")

    errors = {name: f"{error:.1f}" for name, error in pretraining["squared_error"].items()}
    line("lab pretraining", f"{pretraining['sizes']} of sigmoids, squared error of a test digit", errors)
    for number, n in enumerate(pretraining["labels"]):
        wrong = {name: f"{shares[number]:.1%}" for name, shares in pretraining["wrong"].items()}
        line("lab pretraining", f"784-1000-1000-500-10 with {n:,} labels, test digits named wrongly", wrong)
    (run,) = unpool["repetitions"]
    for key, what in UNPOOLED.items():
        figures = {name: f"{found[key]:.3g}" for name, found in run["unpoolings"].items()}
        line("lab unpool", f"{run['n_images']:,} CIFAR-10 images, {what}", figures)
    for budget, seeds in sorted(_budgets(ladder).items()):
        found = {name: [seed[name]["error"] for seed in seeds] for name in ("labels only", "ladder")}
        steps = statistics.fmean(seed["ladder"]["steps"][-1] for seed in seeds)
        what = f"MNIST, 100 labels, {budget}, {steps:,.0f} steps, test digits named wrongly"
        line("lab ladder", what, {name: _spread(errors, "{:.2%}") for name, errors in found.items()})
    for name, measured in finetune.items():
        if name != "machine":
            told = {when: f"{measured[when]['P@10']:.3f}" for when in ("before", "after")}
            line("finetune", f"the shipped model on CIFAR-10's 45,000, {name}: P@10 of 5,000 others", told)
    lines += ["", f"One seed where none or one is named. {_machine(ladder)}."]
    return "\n".join(lines)


def _budgets(ladder: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What was measured of the ladder: name of the budget → one entry for each seed."""
    return {name: list(seeds.values()) for name, seeds in ladder.items() if name != "machine"}


def _spread(values: list[float], form: str) -> str:
    """The mean of the runs, and where they differ the least and the most."""
    mean, *ends = (form.format(value) for value in (statistics.fmean(values), min(values), max(values)))
    return mean if ends[0] == ends[1] else f"{mean} ({ends[0]} to {ends[1]})"


def _latency(seconds: dict[str, float]) -> str:
    return f"{seconds['p50'] * 1000:.1f} ms a query (95 % within {seconds['p95'] * 1000:.1f} ms)"


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    return f"{machine['cores']} cores of an {machine['cpu']}, torch {machine['versions']['torch']}, {machine['date']}"


def _result(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def main() -> None:
    text = README.read_text(encoding="utf-8")
    for name, table in render_all().items():
        before, rest = text.split(f"<!-- {name} -->", 1)
        _, after = rest.split(f"<!-- /{name} -->", 1)
        text = f"{before}<!-- {name} -->\n{table}\n<!-- /{name} -->{after}"
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
