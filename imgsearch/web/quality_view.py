"""Texts, tables and the curve of the Quality panel, made from the figures in `quality.json`.

Returns escaped HTML and one Vega-Lite specification; draws nothing itself. A missing figure becomes a dash.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from imgsearch.html_report import escaped

TITLES = {  # short titles; the title that a method brings itself becomes the tooltip
    "pixel": "raw pixels",
    "pca": "PCA-256",
    "pca-white": "PCA-256, whitened",
    "hog": "HOG",
    "untrained": "untrained network",
    "code": "code",
    "binary": "binary code, 256 bits",
    "short": "binary code, 28 bits",
}
LABELLED_HEADS = {"p@1": "P@1", "p@10": "P@10", "p@100": "P@100", "map@1000": "mAP@1000", "knn20": "20-NN vote"}
COPIES = {
    "crop": "a cropped copy",
    "shift": "a shifted copy",
    "mirror": "a mirrored copy",
    "brightness": "a brighter or darker copy",
    "colour": "a copy with a colour cast",
    "jpeg": "a copy with strong JPEG compression",
    "rotate": "a slightly turned copy",
    "text": "a copy with text across it",
}
DASH = "–"  # noqa: RUF001 -- an en dash, as tables have it


def labelled_sentence(labelled: Mapping[str, Any]) -> str:
    """Explain the table by labels in one sentence; return "" where code or pixels were not measured."""
    code, pixel = (_number(labelled["methods"], name, "p@10") for name in ("code", "pixel"))
    if code is None or pixel is None:
        return ""
    return (
        f"Among the ten nearest by code, {10 * code:.1f} have the query's label on average; "
        f"among the ten nearest by pixels, {10 * pixel:.1f}."
    )


def distorted_sentence(distorted: Mapping[str, Any]) -> str:
    """Explain the table of distorted queries in one sentence, for crops where they were measured."""
    names = [str(name) for name in distorted["distortions"]]
    name = "crop" if "crop" in names else next(iter(names), "")
    code, pixel = (_number(distorted["recall"], method, name, "top1") for method in ("code", "pixel"))
    if code is None or pixel is None:
        return ""
    copy = COPIES.get(name, f"a copy changed by {name}")
    return (
        f"For {copy} of an image as the query, the original comes first {100 * code:.0f} times in 100 by code, "
        f"and {100 * pixel:.0f} times by pixels."
    )


def cutoff_sentence(cutoff: Mapping[str, Any]) -> str:
    """Explain how often the match threshold of the code is right; return "" where that was not measured."""
    false_match, match = (_number(cutoff, "methods", "code", figure) for figure in ("false_match", "match"))
    if false_match is None or match is None:
        return ""
    return (
        f"Of 100 queries whose label no indexed image has, {100 - 100 * false_match:.0f} rightly get no good match; "
        f"of 100 queries whose label is present, {100 * match:.0f} get one."
    )


def labelled_table(labelled: Mapping[str, Any]) -> str:
    """Return a table with one line for each method: how many of its nearest have the query's label."""
    columns = {
        head: {name: _number(labelled["methods"], name, key) for name in labelled["methods"]}
        for key, head in LABELLED_HEADS.items()
    }
    cells = {head: {name: _share(value, values) for name, value in values.items()} for head, values in columns.items()}
    return _table(_titles(labelled), cells, _whole_titles(labelled))


def distorted_table(distorted: Mapping[str, Any]) -> str:
    """Return a table with a line for each method and a column for each distortion: recall at 1 and at 10."""
    methods = list(distorted["recall"])
    cells: dict[str, dict[str, str]] = {}
    for distortion in (*distorted["distortions"], "mean"):
        where = distorted["mean"] if distortion == "mean" else distorted["recall"]
        path = () if distortion == "mean" else (distortion,)
        first = {name: _number(where, name, *path, "top1") for name in methods}
        ten = {name: _number(where, name, *path, "top10") for name in methods}
        cells[str(distortion)] = {
            name: f"{_in_hundred(first[name], first)} <small>{_in_hundred(ten[name])}</small>" for name in methods
        }
    return _table({name: TITLES.get(name, str(name)) for name in methods}, cells)


def labelled_footnote(labelled: Mapping[str, Any]) -> str:
    """Describe how the table by labels was measured."""
    left_out = f"; {labelled['n_twins']:,} more were left out, since their exact thumbnail is indexed"
    alike = f"; {labelled['n_near_twins']:,} have a near-duplicate among them"
    drawn_from = labelled.get("n_labelled", 0)
    drawn = f" drawn from {drawn_from:,}" if drawn_from > labelled["n_database"] else ""
    return (
        f"{labelled['n_queries']:,} queries over {labelled['n_database']:,} images{drawn}"
        f"{left_out if labelled['n_twins'] else ''}{alike if labelled['n_near_twins'] else ''}. "
        f"The curve is the mean over {labelled['curve']['n_queries']:,} queries."
    )


def distorted_footnote(distorted: Mapping[str, Any]) -> str:
    """Describe how the table of distorted queries was measured."""
    return (
        "Per 100 queries: how often the original comes first and, in small print, how often it is among the first ten. "
        f"{distorted['n_rows']:,} images were distorted and searched for among {distorted['n_database']:,}."
    )


def curve(labelled: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Vega-Lite chart: the share of same-label images among the N nearest, one line for each method."""
    titles, numbers = _titles(labelled), labelled["curve"]["n"]
    values = [
        {"n": n, "share": share, "method": titles.get(name, TITLES.get(name, str(name))), "thick": name == "code"}
        for name, shares in labelled["curve"]["share"].items()
        for n, share in zip(numbers, shares, strict=False)
        if _is_number(n) and n > 0 and _is_number(share)  # the axis is logarithmic
    ]
    return {
        "data": {"values": values},
        "mark": "line",
        "height": 340,
        "encoding": {
            "x": {
                "field": "n",
                "type": "quantitative",
                "scale": {"type": "log", "nice": False},
                "axis": {
                    "title": "N, the number of nearest images",
                    "grid": False,
                    "format": ",d",
                    "values": [10**power for power in range(9)],
                },
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domainMin": 0, "nice": True},
                "axis": {"title": "share with the query's label", "format": "%", "tickCount": 5},
            },
            "color": {
                "field": "method",
                "type": "nominal",
                "sort": None,  # in the order of the data
                "scale": {"scheme": "tableau10"},
                "legend": {"title": None},
            },
            "strokeWidth": {"condition": {"test": "datum.thick", "value": 3.5}, "value": 1.75},
            "tooltip": [
                {"field": "method", "title": "method"},
                {"field": "n", "type": "quantitative", "title": "N", "format": ",d"},
                {"field": "share", "type": "quantitative", "title": "share", "format": ".1%"},
            ],
        },
    }


# ----------------------------------------------------------------------------------------------------------------------


def _titles(labelled: Mapping[str, Any]) -> dict[str, str]:
    return {name: TITLES.get(name, title) for name, title in _whole_titles(labelled).items()}


def _whole_titles(labelled: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(figures.get("title", name) if isinstance(figures, Mapping) else name)
        for name, figures in labelled["methods"].items()
    }


def _table(
    titles: Mapping[str, str], cells: Mapping[str, Mapping[str, str]], whole_titles: Mapping[str, str] | None = None
) -> str:
    """Return an HTML table of cells, given by column head and method; the cells are HTML and already escaped."""
    whole = whole_titles or titles
    heads = "".join(f'<th scope="col">{escaped(head)}</th>' for head in cells)
    lines = "".join(
        f'<tr data-method="{escaped(name)}"><th scope="row" title="{escaped(whole[name])}">{escaped(title)}</th>'
        + "".join(f"<td>{column[name]}</td>" for column in cells.values())
        + "</tr>"
        for name, title in titles.items()
    )
    return (
        f'<div class="figures"><table><thead><tr><th scope="col">nearest by</th>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _number(where: Any, *path: str) -> float | None:
    """Return the value at the end of the path; None where it is not a number."""
    for name in path:
        where = where.get(name) if isinstance(where, Mapping) else None
    return float(where) if _is_number(where) else None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _share(value: float | None, column: Mapping[str, float | None]) -> str:
    return DASH if value is None else _marked(f"{value:.3f}", value, column)


def _in_hundred(value: float | None, column: Mapping[str, float | None] | None = None) -> str:
    return DASH if value is None else _marked(f"{100 * value:.0f}", value, column or {})


def _marked(text: str, value: float, column: Mapping[str, float | None]) -> str:
    """Return the text, in bold where it is the best value of its column."""
    known = [other for other in column.values() if other is not None]
    return f"<strong>{text}</strong>" if known and value == max(known) else text
