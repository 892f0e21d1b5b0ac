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
from imgsearch.lab.experiments import run_experiment
from imgsearch.lab.finding import Lab
from imgsearch.paths import IndexPaths

NEWSGROUPS = DATA / "20news-bydate.zip"
SEEDS = (0, 1, 2)


def main() -> None:
    size = sys.argv[1] if len(sys.argv) > 1 else "default"
    device = pick_device()
    runs, seconds, processor_seconds, data = [], [], [], ""
    for seed in SEEDS:
        began, processor_began = time.monotonic(), time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(IndexPaths(Path(folder)), size, device, NEWSGROUPS, seed, lambda share, text: None, lambda: False)
            finding = run_experiment("text", lab)
        seconds.append(round(time.monotonic() - began, 1))
        processor_seconds.append(round(time.process_time() - processor_began, 1))
        runs.append(finding.figures)
        data = finding.data
        print(f"seed {seed}, {seconds[-1]} s: {finding.conclusion}", flush=True)
    shares = {
        name: np.array([run["share_of_same_group"][name] for run in runs]) for name in runs[0]["share_of_same_group"]
    }
    write_result(
        "lecture_text",
        {
            "what": "share of same-group posts among the N nearest other test posts, mean over the posts",
            "data": data,
            "device": device.reason,
            "size": size,
            "seeds": list(SEEDS),
            "seconds": seconds,
            "processor_seconds": processor_seconds,
            "n": list(runs[0]["n"]),
            "mean": {name: values.mean(axis=0).round(4).tolist() for name, values in shares.items()},
            "std": {name: values.std(axis=0, ddof=1).round(4).tolist() for name, values in shares.items()},
        },
    )


if __name__ == "__main__":
    main()
