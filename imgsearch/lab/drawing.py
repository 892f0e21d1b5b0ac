"""Pictures of findings: grids of small images, curves, planes of points. The only module here with matplotlib."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

DOTS_PER_INCH = 150
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#222222", "#cc79a7", "#8a6d3b", "#56b4e9", "#e69f00", "#999999", "#7a3b8a")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def as_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    FigureCanvasAgg(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def rows_of_images(rows: Mapping[str, NDArray[Any]], title: str = "") -> bytes:
    """A PNG of rows of small images, each with its name: arrays (n, side, side) grey or (n, side, side, 3), uint8."""
    n = max(len(images) for images in rows.values())
    figure = new_figure(0.62 * n + 1.6, 0.66 * len(rows) + 0.5)
    _fill_rows(figure.subplots(len(rows), n, squeeze=False), rows)
    if title:
        figure.suptitle(title, fontsize=10)
    return as_png(figure)


def show_image(axes: Axes, image: NDArray[Any]) -> None:
    """One small image, grey (dark on white, as ink is) or in colours, its pixels as squares."""
    axes.imshow(image, cmap="gray_r" if image.ndim == 2 else None, vmin=0, vmax=255, interpolation="nearest")
    axes.axis("off")


def curves(axes: Axes, lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str) -> None:
    """Curves with a legend: name to (x, y)."""
    for colour, (name, (xs, ys)) in zip(COLOURS * 3, lines.items(), strict=False):
        axes.plot(xs, ys, label=name, color=colour, linewidth=1.8)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)


def plane(axes: Axes, points: NDArray[np.floating], labels: NDArray[np.int64], title: str) -> None:
    """Points (n, 2) coloured by label."""
    for label in np.unique(labels):
        chosen = points[labels == label]
        axes.scatter(
            chosen[:, 0], chosen[:, 1], s=4, color=COLOURS[int(label) % len(COLOURS)], label=str(label), linewidths=0
        )
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)


def planes(points: Mapping[str, tuple[NDArray[np.floating], NDArray[np.int64]]]) -> bytes:
    """A PNG of planes side by side: name to points (n, 2) and their labels (n,), with one legend."""
    figure = new_figure(4.6 * len(points) + 0.6, 4.8)
    all_axes = figure.subplots(1, len(points), squeeze=False)[0]
    for axes, (name, (places, labels)) in zip(all_axes, points.items(), strict=True):
        plane(axes, places, labels, name)
    all_axes[-1].legend(markerscale=4, fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return as_png(figure)


def curves_beside_images(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, images: Mapping[str, NDArray[Any]]
) -> bytes:
    """A PNG of curves, their y in powers of ten, and beside them a block of small images for each name."""
    per_row = 5
    figure = new_figure(5.4 + 2.9 * len(images), 3.9)
    parts = figure.subfigures(1, 1 + len(images), squeeze=False, width_ratios=[5.4, *[2.9] * len(images)])[0]
    axes = parts[0].subplots()
    curves(axes, lines, x, y)
    axes.set_yscale("log")
    for part, (name, pictures) in zip(parts[1:], images.items(), strict=True):
        part.suptitle(name, fontsize=10)
        cells = part.subplots(-(-len(pictures) // per_row), per_row, squeeze=False).ravel()
        for cell in cells:
            cell.axis("off")
        for cell, picture in zip(cells, pictures, strict=False):
            show_image(cell, picture)
    return as_png(figure)


def curves_above_images(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, rows: Mapping[str, NDArray[Any]]
) -> bytes:
    """A PNG of curves, and below them rows of small images as `rows_of_images` takes them."""
    n = max(len(images) for images in rows.values())
    figure = new_figure(0.62 * n + 1.6, 3.2 + 0.66 * len(rows))
    parts: NDArray[Any] = np.asarray(figure.subfigures(2, 1, height_ratios=(3.2, 0.66 * len(rows))))
    above, below = parts
    curves(above.subplots(), lines, x, y)
    _fill_rows(below.subplots(len(rows), n, squeeze=False), rows)
    return as_png(figure)


def _fill_rows(all_axes: NDArray[Any], rows: Mapping[str, NDArray[Any]]) -> None:
    for line, (name, images) in zip(all_axes, rows.items(), strict=True):
        for axes in line:
            axes.axis("off")
        for axes, image in zip(line, images, strict=False):
            show_image(axes, image)
        line[0].text(-0.15, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize=8)
