"""Measured figures in the form that `imgsearch evaluate` writes, small enough to read in a test."""

from typing import Any

LABELLED: dict[str, Any] = {
    "n_database": 45_000,
    "n_queries": 5_000,
    "n_twins": 0,
    "n_near_twins": 31,
    "ap_formula": "AP",
    "methods": {
        "pixel": {"title": "raw pixels, L2", "p@1": 0.35, "p@10": 0.276, "p@100": 0.22, "map@1000": 0.2, "knn20": 0.33},
        "code": {"title": "code, cosine", "p@1": 0.58, "p@10": 0.504, "p@100": 0.41, "map@1000": 0.36, "knn20": 0.65},
        "binary": {"title": "256 bits", "p@1": 0.56, "p@10": 0.49, "p@100": 0.4, "map@1000": 0.35, "knn20": 0.64},
    },
    "curve": {
        "n": [1, 10, 100, 45_000],
        "n_queries": 1_000,
        "share": {
            "pixel": [0.35, 0.28, 0.22, 0.1],
            "code": [0.58, 0.5, 0.41, 0.1],
            "binary": [0.56, 0.49, 0.4, 0.1],
        },
    },
}
CUTOFF: dict[str, Any] = {"n_queries": 1_000, "methods": {"code": {"match": 0.71, "false_match": 0.12}}}
DISTORTED: dict[str, Any] = {
    "n_rows": 1_000,
    "n_database": 45_000,
    "distortions": ["crop", "mirror"],
    "recall": {
        "pixel": {"crop": {"top1": 0.12, "top10": 0.2}, "mirror": {"top1": 0.4, "top10": 0.5}},
        "code": {"crop": {"top1": 0.87, "top10": 0.95}, "mirror": {"top1": 0.99, "top10": 1.0}},
    },
    "mean": {"pixel": {"top1": 0.26, "top10": 0.35}, "code": {"top1": 0.93, "top10": 0.975}},
}
