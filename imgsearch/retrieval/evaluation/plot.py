"""Plot the curve of an evaluation as Krizhevsky & Hinton (2011) do in their figure.

It shows the share of same-label images among the N nearest, N on a logarithmic axis, one line per method.
"""

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from imgsearch.retrieval.evaluation.evaluate import Evaluation

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 8.0, 5.0, 150
# Colours that colour-blind people can tell apart; the methods that search offers are drawn bolder.
COLOURS = {
    "code": "#d55e00",
    "binary": "#0072b2",
    "short": "#009e73",
    "pixel": "#222222",
    "hog": "#cc79a7",
    "pca-white": "#8a6d3b",
    "pca": "#b8a27a",
    "untrained": "#999999",
}
OFFERED = ("code", "binary")


def draw_curve(evaluation: Evaluation) -> bytes:
    """PNG bytes: the evaluation's curve."""
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    curve = evaluation.curve
    # The best first, so that legend and lines have the same order.
    for name, share in sorted(curve.share.items(), key=lambda item: -item[1][len(item[1]) // 4]):
        axes.plot(
            curve.n,
            share,
            label=evaluation.titles[name],
            color=COLOURS.get(name),
            linewidth=2.2 if name in OFFERED else 1.3,
            linestyle="--" if name == "pixel" else "-",
            zorder=3 if name in OFFERED else 2,
        )
    _style(axes, evaluation)
    FigureCanvasAgg(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _style(axes: Axes, evaluation: Evaluation) -> None:
    curve = evaluation.curve
    axes.set_xscale("log")
    axes.set_xlim(1, max(curve.n[-1], 2))
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.set_xlabel(f"N nearest of {evaluation.n_database:,} images")
    axes.set_ylabel("share of them with the query's label")
    axes.set_title(f"Which neighbours show the same thing: mean over {curve.n_queries:,} queries", fontsize=11)
    axes.grid(alpha=0.3, which="major")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
