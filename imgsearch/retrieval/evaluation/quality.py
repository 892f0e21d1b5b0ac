"""`quality.json`: what `imgsearch evaluate` found out about an index, left beside it for the page to show.

Plain JSON in, plain data out. Must not know how anything is measured, and loads neither torch nor faiss.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from imgsearch.paths import IndexPaths, directory_errors, replacing

# What each part must hold, and of which type, to be shown; more is allowed.
_LABELLED = {"n_database": int, "n_queries": int, "n_twins": int, "n_near_twins": int, "methods": dict, "curve": dict}
_CURVE = {"n": list, "n_queries": int, "share": dict}
_DISTORTED = {"n_rows": int, "n_database": int, "distortions": list, "recall": dict, "mean": dict}


@dataclass(frozen=True)
class Quality:
    """The figures of one index directory. A part that was not measured is None.

    `labelled`: {"n_database", "n_queries", "n_twins", "n_near_twins", "ap_formula", "methods": {name: {"title", "p@1",
    "p@10", "p@100", "map@1000", "knn20"}}, "curve": {"n": [...], "n_queries", "share": {name: [...]}}}.
    `distorted`: {"n_rows", "n_database", "distortions": [...], "recall": {method: {distortion: {"top1", "top10"}}},
    "mean": {method: {"top1", "top10"}}}.
    """

    model: str  # digest of the model whose codes were measured
    rows: int  # rows 0..rows-1 were in the index
    made_at: str  # ISO 8601, UTC
    labelled: dict[str, Any] | None = None  # by labels: which methods find the same kind of thing
    distorted: dict[str, Any] | None = None  # without labels: which methods find a distorted original
    cutoff: dict[str, Any] | None = None  # how often a hit is called good although nothing like the query is there

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def fits(self, model: str, rows: int) -> bool:
        """Whether these are figures of the index made by `model` of so many rows."""
        return (self.model, self.rows) == (model, rows)


def quality_now(model: str, rows: int, **parts: dict[str, Any] | None) -> Quality:
    """The figures as of now; `parts` are `labelled`, `distorted` and `cutoff`."""
    return Quality(model, rows, datetime.now(UTC).isoformat(timespec="seconds"), **parts)


def write_quality(paths: IndexPaths, quality: Quality) -> None:
    """Put `quality` in place of what was measured before.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    with replacing(paths.quality) as temporary:
        temporary.write_text(json.dumps(quality.to_json(), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_quality(paths: IndexPaths) -> Quality | None:
    """What was measured last; None where nothing was, or where the file is damaged: measuring again mends both.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    with directory_errors(paths.quality):
        try:
            found = json.loads(paths.quality.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
    if not _holds(found, {"model": str, "rows": int, "made_at": str}):
        return None
    quality = Quality(**{entry.name: found.get(entry.name) for entry in fields(Quality)})
    return quality if _sound(quality) else None


def _sound(quality: Quality) -> bool:
    labelled, distorted, cutoff = quality.labelled, quality.distorted, quality.cutoff
    return (
        (labelled is None or (_holds(labelled, _LABELLED) and _holds(labelled["curve"], _CURVE)))
        and (distorted is None or _holds(distorted, _DISTORTED))
        and (cutoff is None or isinstance(cutoff, dict))
    )


def _holds(found: object, wanted: Mapping[str, type]) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in wanted.items())
