"""Tables of training for docs/results.md."""

import statistics
from typing import Any

from benchmarks.machine import MACHINE, machine_of, read_result


def render_all() -> dict[str, str]:
    """Return the blocks of docs/results.md by name."""
    return {
        "reconstruction": render_reconstruction(read_result("reconstruction")),
        "training": render_training(read_result("training")),
        "finetune": render_finetune(read_result("finetune")),
    }


def render_reconstruction(result: dict[str, Any]) -> str:
    """Return the reconstruction error with and without the agreement objective."""
    names = {
        "reconstruction_alone": f"reconstruction only, {result['minutes']:g} minutes",
        "both": f"reconstruction and agreement, {result['minutes']:g} minutes",
        "shipped": "the shipped model (longer, on more images)",
    }
    models = result["models"]
    lines = ["| training objective | squared error per value | P@10 |", "|---|---|---|"]
    for key, name in names.items():
        lines.append(f"| {name} | {models[key]['reconstruction_error']:.4f} | {models[key]['p@10']:.3f} |")
    ratio = models["both"]["reconstruction_error"] / models["reconstruction_alone"]["reconstruction_error"]
    lines += [
        "",
        f"In the same training time, agreement increases the error by {ratio - 1:.0%}. One run with "
        f"{result['torch_threads']} thread on {machine_of(result)}.",
    ]
    return "\n".join(lines)


def render_training(result: dict[str, Any]) -> str:
    """Return the speed of a training step under each variant, and the largest parts of its time."""
    lines = [f"| a training step, {machine_of(result)} | images/s, as a share of the default |", "|---|---|"]
    for name, share in result["share_of_as_it_is"].items():
        rate = f" ({statistics.median(result['images_per_second'][name]):,.0f} images/s)" if share == 1 else ""
        title = "default" if share == 1 else name
        lines.append(f"| {title} | {share:.2f}{rate} |")
    top = ", ".join(f"{name.removeprefix('aten::')} {share:.0%}" for name, share in list(result["profile"].items())[:6])
    lines += ["", f"Medians of {result['rounds']} rounds. The largest parts of a step: {top}."]
    return "\n".join(lines)


def render_finetune(result: dict[str, Any]) -> str:
    """Return P@10 before and after fine-tuning, one row for each number of labels and seed."""
    lines = ["| labels, objective, time, seed | P@10 before | P@10 after |", "|---|---|---|"]
    for name, measured in result.items():
        if name == MACHINE:
            continue
        lines.append(f"| {name} | {measured['before']['P@10']:.3f} | {measured['after']['P@10']:.3f} |")
    lines += ["", f"CIFAR-10: 5,000 queries among 45,000 images; {machine_of(result)}."]
    return "\n".join(lines)
