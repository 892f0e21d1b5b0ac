"""`imgsearch lab text` on 20 newsgroups: the share of same-group posts among the N nearest, by codes, LSA and TF-IDF.

    python benchmarks/lecture_text.py [default|full]

Three seeds; the figures of LSA and TF-IDF do not depend on them. Needs ../shared/data/20news-bydate.zip.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from machine import write_result
from protocol import DATA

from imgsearch.device import pick_device
from imgsearch.lab.finding import Finding, Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths

NEWSGROUPS = DATA / "20news-bydate.zip"
SEEDS = (0, 1, 2)


def main() -> None:
    size = sys.argv[1] if len(sys.argv) > 1 else "default"
    device = pick_device()
    findings, seconds, processor_seconds = [], [], []
    for seed in SEEDS:
        began, processor_began = time.monotonic(), time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(IndexPaths(Path(folder)), size, device, NEWSGROUPS, seed, lambda share, text: None, lambda: False)
            findings.append(run_experiment("text", lab))
        seconds.append(round(time.monotonic() - began, 1))
        processor_seconds.append(round(time.process_time() - processor_began, 1))
        print(f"seed {seed}, {processor_seconds[-1]} s of a processor: {findings[-1].conclusion}", flush=True)
        times = {"seconds": seconds, "processor_seconds": processor_seconds}
        write_result("lecture_text", {"size": size, "device": device.reason, **times, **summary(findings)})


def summary(findings: list[Finding]) -> dict[str, object]:
    """Means and deviations over the seeds so far."""
    runs = [finding.figures["share_of_same_group"] for finding in findings]
    shares = {name: np.array([run[name] for run in runs]) for name in runs[0]}  # name: (seeds, numbers of neighbours)
    return {
        "what": "share of same-group posts among the N nearest other test posts, mean over the posts",
        "data": findings[0].data,
        "seeds": list(SEEDS[: len(findings)]),
        "n": list(findings[0].figures["n"]),
        "mean": {name: values.mean(axis=0).round(4).tolist() for name, values in shares.items()},
        "std": {
            name: values.std(axis=0, ddof=min(1, len(findings) - 1)).round(4).tolist()
            for name, values in shares.items()
        },
    }


if __name__ == "__main__":
    main()
