"""Tables of retrieval quality and speed: the summary in README.md, and the first half of docs/results.md."""

import statistics
from typing import Any

from benchmarks.machine import machine_of, read_result

DISTORTED = {
    "crop": "cropped to 40-70 % of its area",
    "shift": "shifted by 4 to 8 pixels",
    "mirror": "mirrored",
    "brightness": "brighter or darker",
    "colour": "with a colour cast",
    "jpeg": "compressed to JPEG quality 8-20",
    "rotate": "rotated by 8 to 20 degrees",
    "text": "partly covered by letters",
}
SUMMARY = {  # method → its name in the README
    "pixel": "raw pixels, 3,072 numbers",
    "pca": "principal components, 256 numbers",
    "hog": "HOG, 576 numbers",
    "code": "**code, 256 numbers**",
    "binary": "**binary code, 256 bits**",
}


def render_all() -> dict[str, str]:
    """Return the blocks of docs/results.md by name."""
    development, unseen = read_result("development"), read_result("unseen")
    return {
        "retrieval": render_retrieval(development),
        "unseen": render_unseen(unseen),
        "distorted": render_distorted(unseen),
        "cutoff": render_cutoff(development),
        "speed": render_speed(read_result("speed"), development),
        "model": render_model(development),
    }


def render_summary() -> str:
    """Return the README's table: five methods, their P@10 and their time per query."""
    development, speed = read_result("development"), read_result("speed")
    found = read_result("unseen")["photographs"]["mean"]
    labelled = development["labelled"]
    lines = ["| nearest by | P@10 | ms per query |", "|---|---|---|"]
    for method, name in SUMMARY.items():
        milliseconds = 1000 * speed[f"{method}_search_seconds"]["p50"]
        lines.append(f"| {name} | {labelled['methods'][method]['p@10']:.3f} | {milliseconds:.1f} |")
    lines += [
        "",
        f"CIFAR-10: {labelled['n_queries']:,} queries among {labelled['n_database']:,} images; P@10 is the share of "
        f"the ten nearest with the query's label. Exact search among {speed['images']:,} on {machine_of(speed)}.",
        "",
        f"Of strongly distorted copies of photographs (cropped, shifted, mirrored, recoloured, compressed, rotated, "
        f"written over), the code finds the original first in {found['code']['top1']:.0%} of the cases, raw pixels in "
        f"{found['pixel']['top1']:.0%}.",
    ]
    return "\n".join(lines)


def render_retrieval(result: dict[str, Any]) -> str:
    """Return a row of metrics for each method."""
    labelled = result["labelled"]
    lines = ["| nearest by | P@1 | P@10 | P@100 | mAP@1000 | 20-NN vote |", "|---|---|---|---|---|---|"]
    for figures in labelled["methods"].values():
        cells = [f"{figures[key]:.3f}" for key in ("p@1", "p@10", "p@100", "map@1000", "knn20")]
        lines.append(f"| {figures['title']} | {' | '.join(cells)} |")
    rest = labelled["without_near_twins"]
    lines += [
        "",
        f"One run, {machine_of(result)}. AP is divided by the number of relevant images among the first 1,000; equal "
        f"Hamming distances are ordered at random. {labelled['n_near_twins']} of the {labelled['n_queries']:,} queries "
        f"have a near-duplicate in the database; without these queries P@10 is {rest['code']['p@10']:.3f} by code and "
        f"{rest['pixel']['p@10']:.3f} by pixels.",
    ]
    return "\n".join(lines)


def render_model(result: dict[str, Any]) -> str:
    """Return how the shipped model was trained, as a table."""
    training = result["card"]["training"]
    commands = "<br>".join(f"`{command.strip()}`" for command in training["command"].split(";"))
    return "\n".join(
        [
            "| the shipped model | |",
            "|---|---|",
            f"| training data | {training['data']} |",
            f"| commands, one after another | {commands} |",
            f"| digest of its weights | `{result['card']['digest'][:12]}` |",
        ]
    )


def render_distorted(result: dict[str, Any]) -> str:
    """Return how often the original of a distorted copy comes first, one row for each distortion."""
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
        f"Share of copies whose original is the first hit. {found['n_rows']:,} of {found['n_database']:,} unlabelled "
        f"photographs, each distorted in every way; {machine_of(result)}.",
    ]
    return "\n".join(lines)


def render_unseen(result: dict[str, Any]) -> str:
    """Return P@10 on images unlike those of the training."""
    names = {"pixel": "pixels", "hog": "HOG", "code": "code", "binary": "binary code"}
    lines = [f"| P@10 | {' | '.join(names.values())} |", "|---|" + "---|" * len(names)]
    for key, what in (("mnist", "handwritten digits (MNIST)"), ("gallery", "the demo's drawn gallery")):
        found = result[key]
        cells = [f"{found['methods'][method]['p@10']:.3f}" for method in names]
        lines.append(f"| {what}: {found['n_queries']:,} among {found['n_database']:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def render_cutoff(result: dict[str, Any]) -> str:
    """Return how often a query gets a good match, with and without images of its label in the database."""
    found = result["cutoff"]
    rates = found["methods"]["code"]
    return (
        f"On CIFAR-10, {rates['match']:.0%} of {found['n_queries']:,} queries get a good match by code. With all "
        f"images of the query's label left out, {rates['false_match']:.0%} still get one, and "
        f"{rates['false_same']:.1%} get one that is called the *same*. A nearest hit that is called good has the "
        f"query's label in {rates['right_if_good']:.0%} of the cases, a weak one in {rates['right_if_weak']:.0%}."
    )


def render_speed(result: dict[str, Any], development: dict[str, Any]) -> str:
    """Return throughput and latency, as medians of the repetitions."""
    add = statistics.median(result["add_images_per_second"])
    encode = statistics.median(development["encode_images_per_second"])
    lines = [
        f"| {machine_of(result)} | median |",
        "|---|---|",
        f"| `imgsearch add` of {result['images']:,} small JPEGs in a zip | {add:,.0f} images/s |",
        f"| encoding ({development['machine']['date']}) | {encode:,.0f} images/s |",
    ]
    names = {
        "code": "code",
        "pixel": "pixels",
        "binary": "binary code",
        "pca": "256 principal components",
        "hog": "HOG (576 numbers)",
    }
    for method, name in names.items():
        latency = _latency(result[f"{method}_search_seconds"])
        lines.append(f"| exact search by {name} among {result['images']:,} | {latency} |")
    lines += ["", f"Medians of {result['repetitions']} repetitions, or of {result['queries']} queries, one at a time."]
    return "\n".join(lines)


def _latency(seconds: dict[str, float]) -> str:
    return f"{seconds['p50'] * 1000:.1f} ms a query (95th percentile {seconds['p95'] * 1000:.1f} ms)"
