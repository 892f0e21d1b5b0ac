"""The README's tables, made from the raw results. Run: python benchmarks/tables.py (writes them into README.md)

Each stands between `<!-- name -->` and `<!-- /name -->`; a test holds the README to what is made here.
"""

import json
import statistics
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
README = Path(__file__).resolve().parents[1] / "README.md"


def render_all() -> dict[str, str]:
    """Name of each table → its text."""
    return {"retrieval": render_retrieval(_result("development")), "speed": render_speed(_result("speed"))}


def render_retrieval(result: dict[str, Any]) -> str:
    """P@k and the other figures, a line for each method, and how they were measured."""
    evaluation, training = result["evaluation"], result["training"]
    names = {"pixel": "raw pixels, Euclidean distance", "code": "code, cosine distance"}
    lines = ["| nearest by | P@1 | P@10 | P@100 | mAP@1000 | 20-NN vote |", "|---|---|---|---|---|---|"]
    for method, name in names.items():
        figures = evaluation["methods"][method]
        cells = [f"{figures[key]:.3f}" for key in ("p@1", "p@10", "p@100", "map@1000", "knn20")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Trained from scratch for {result['minutes']:g} minutes on {_machine(result)}: "
        f"{training['images_seen']:,} images seen, seed {result['seed']}, one run. AP is divided by the relevant "
        f"images found in the first 1,000. Queries with a twin in the database, left out: {evaluation['n_twins']}.",
    ]
    return "\n".join(lines)


def render_speed(result: dict[str, Any]) -> str:
    """Throughput and latency, medians of the repetitions."""
    rate = {name: statistics.median(result[name]) for name in result if name.endswith("_per_second")}
    code, pixel = result["code_search_seconds"], result["pixel_search_seconds"]
    return "\n".join(
        [
            f"| on {_machine(result)} | median |",
            "|---|---|",
            f"| `imgsearch add` of 50,000 small JPEGs in a zip | {rate['add_images_per_second']:,.0f} images/s |",
            f"| encoding | {rate['encode_images_per_second']:,.0f} images/s |",
            f"| exact search by code among {result['images']:,} | {_latency(code)} |",
            f"| exact search by pixels among {result['images']:,} | {_latency(pixel)} |",
        ]
    )


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
