"""`imgsearch lab text` on 20 newsgroups: share of same-group posts among the N nearest, by codes, LSA and TF-IDF.

Writes results/lecture_text.json: means and deviations over three seeds, which LSA and TF-IDF do not depend on.
Needs ../shared/data/20news-bydate.zip. Run: python -m benchmarks.lecture.text [default|full]
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.lecture.experiment import TimedFinding, timed_experiment
from benchmarks.machine import write_result
from benchmarks.protocol import DATA

NEWSGROUPS = DATA / "20news-bydate.zip"
SEEDS = (0, 1, 2)


def main() -> None:
    print(write_result("lecture_text", run(sys.argv[1] if len(sys.argv) > 1 else "default")))


def run(size: str, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Run the experiment with each seed; return the means, the deviations and the times."""
    runs: list[TimedFinding] = []
    for seed in seeds:
        runs.append(timed_experiment("text", size=size, data=NEWSGROUPS, seed=seed))
        print(f"seed {seed}, {runs[-1].processor_seconds:.0f} processor seconds: {runs[-1].finding.conclusion}")
    found = [each.finding.figures["share_of_same_group"] for each in runs]
    shares = {name: np.array([each[name] for each in found]) for name in found[0]}  # name: (seeds, len(n))
    ddof = min(1, len(runs) - 1)
    return {
        "size": size,
        "device": runs[0].device.reason,
        "seconds": [round(each.seconds, 1) for each in runs],
        "processor_seconds": [round(each.processor_seconds, 1) for each in runs],
        "what": "share of same-group posts among the N nearest other test posts, mean over the posts",
        "data": runs[0].finding.data,
        "seeds": list(seeds),
        "n": list(runs[0].finding.figures["n"]),
        "mean": {name: values.mean(axis=0).round(4).tolist() for name, values in shares.items()},
        "std": {name: values.std(axis=0, ddof=ddof).round(4).tolist() for name, values in shares.items()},
    }


if __name__ == "__main__":
    main()
