"""The user's corpus as an image map: t-SNE and PCA, by codes and by pixels, with thumbnails at their positions.

`retrieval.explore.image_map` computes the layouts, measures them, and keeps the map for the page. Source:
van der Maaten & Hinton, "Visualizing Data using t-SNE" (JMLR 2008).
"""

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import LabError
from imgsearch.lab.drawing import picture_planes
from imgsearch.lab.finding import Finding, Lab
from imgsearch.retrieval.explore.image_map import (
    CODE_PCA,
    CODE_TSNE,
    NEAREST,
    PIXEL_PCA,
    PIXEL_TSNE,
    ImageMap,
    kept_share,
    load_map,
    make_map,
    same_label_share,
    save_map,
)
from imgsearch.retrieval.search.searcher import Searcher

SMALL_ROWS, DEFAULT_ROWS, FULL_ROWS = 300, 2_000, 3_000
TITLES = {
    CODE_TSNE: "codes, t-SNE",
    PIXEL_TSNE: "pixels, PCA-32, t-SNE",
    CODE_PCA: "codes, PCA-2",
    PIXEL_PCA: "pixels, PCA-2",
}


def run(lab: Lab) -> Finding:
    """Compute and draw the four maps of the index, and store them for the page.

    The quality of a map is measured on the ten nearest in the plane: the share with the same label, where the corpus
    has labels, and the share that are also among the ten nearest by code.

    Raises:
        CorpusError, ModelError, IndexMissingError, IndexMismatchError: there is no usable index.
        EvaluationError: there are too few images.
        LabError: the experiment was stopped.
    """

    def report(done: float, total: float | None, text: str = "") -> None:
        if lab.stop():
            raise LabError("the experiment was stopped before its end; an earlier map is unchanged.")
        lab.on_progress(done, total, text)

    with Searcher.open(lab.paths, device=str(lab.device.device)) as searcher:
        n_images = searcher.n_images
        most_rows: int = lab.by_size(SMALL_ROWS, DEFAULT_ROWS, FULL_ROWS)
        made = make_map(searcher, most_rows=most_rows, seed=lab.seed, on_progress=report)
        thumbnails = searcher.thumbnails(made.rows)
        figures = _figures(made, searcher)
        there = load_map(lab.paths)
        if there is None or not there.fits(searcher.model) or len(there.rows) <= len(made.rows):
            save_map(lab.paths, made)  # keeps a larger map of the page
    drawn = f"{len(made.rows):,} of them, drawn with seed {lab.seed}" if len(made.rows) < n_images else "all of them"
    planes = {title: made.layouts[name] for name, title in TITLES.items()}
    return Finding(
        name="map",
        title="The corpus as an image map",
        source="van der Maaten & Hinton 2008",
        data=f"The corpus of {n_images:,} images: {drawn}.",
        columns=("map", f"same label among the {NEAREST} nearest", f"kept of the {NEAREST} nearest by code"),
        lines=_lines(figures),
        figures=figures,
        conclusion=_conclusion(figures),
        picture=picture_planes(planes, thumbnails),
    )


def _figures(made: ImageMap, searcher: Searcher) -> dict[str, object]:
    """Return `kept` and, where there are at least two labels, `same_label` by name of the map, and its chance level."""
    codes = searcher.indexed_codes(made.rows)  # with cosine of length 1, so Euclidean distance gives the same order
    figures: dict[str, object] = {
        "n": len(made.rows),
        "kept": {name: kept_share(layout, codes) for name, layout in made.layouts.items()},
        "same_label": None,
    }
    texts = np.array(searcher.labels())[made.rows]
    labelled = texts != ""
    if len(np.unique(texts[labelled])) < 2:
        return figures
    labels = np.unique(texts[labelled], return_inverse=True)[1]
    figures["same_label"] = {name: same_label_share(layout[labelled], labels) for name, layout in made.layouts.items()}
    figures["same_label_by_chance"] = _by_chance(labels)
    figures["n_labelled"] = int(labelled.sum())
    return figures


def _by_chance(labels: NDArray[np.int64]) -> float:
    """Return the share of pairs of different images (n,) that have the same label."""
    counts, n = np.bincount(labels), len(labels)
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))


def _lines(figures: dict[str, object]) -> tuple[tuple[str, ...], ...]:
    kept, same = _shares(figures, "kept"), _shares(figures, "same_label")
    lines = [(title, _percent(same.get(name)), _percent(kept[name])) for name, title in TITLES.items()]
    if "same_label_by_chance" in figures:
        lines.append(("by chance", f"{figures['same_label_by_chance']:.0%}", f"{NEAREST / (_n(figures) - 1):.1%}"))
    return tuple(lines)


def _conclusion(figures: dict[str, object]) -> str:
    kept, same = _shares(figures, "kept"), _shares(figures, "same_label")
    words = (
        f"The t-SNE map keeps {kept[CODE_TSNE]:.0%} of the ten nearest by code among the ten nearest on the map; the "
        f"two principal components keep {kept[CODE_PCA]:.0%}."
    )
    if not same:
        return words
    return (
        f"Among an image's ten nearest on the map of codes, {same[CODE_TSNE]:.0%} have the same label; on the map of "
        f"pixels, {same[PIXEL_TSNE]:.0%}. {words}"
    )


def _shares(figures: dict[str, object], name: str) -> dict[str, float]:
    found = figures[name]
    return found if isinstance(found, dict) else {}


def _n(figures: dict[str, object]) -> int:
    n = figures["n"]
    assert isinstance(n, int)
    return n


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"  # noqa: RUF001 -- an en dash, as tables have it
