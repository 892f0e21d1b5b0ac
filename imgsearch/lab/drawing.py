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
    all_axes = figure.subplots(len(rows), n, squeeze=False)
    for line, (name, images) in zip(all_axes, rows.items(), strict=True):
        for axes in line:
            axes.axis("off")
        for axes, image in zip(line, images, strict=False):
            show_image(axes, image)
        line[0].text(-0.15, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize=8)
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


def picture_planes(planes: Mapping[str, NDArray[np.floating]], thumbnails: NDArray[np.uint8]) -> bytes:
    """A PNG of planes side by side, two in a line: thumbnails (n, side, side, 3) at their places (n, 2), by title."""
    n_lines = -(-len(planes) // 2)
    figure = new_figure(10, 5 * n_lines)
    all_axes = list(figure.subplots(n_lines, 2, squeeze=False).flat)
    for axes in all_axes:
        axes.axis("off")
    for axes, (title, places) in zip(all_axes, planes.items(), strict=False):
        axes.imshow(pasted(thumbnails, places), interpolation="antialiased")
        axes.set_title(title, fontsize=10)
    return as_png(figure)


def pasted(thumbnails: NDArray[np.uint8], places: NDArray[np.floating], side: int = 1200) -> NDArray[np.uint8]:
    """(side, side, 3) thumbnails (n, h, h, 3) pasted on white, each at its place (n, 2), stretched to fill the square.

    Later ones lie on top. The picture shows them at their own size, so that with many they overlap as a crowd does.
    """
    small = thumbnails.shape[1]
    low, high = places.min(axis=0), places.max(axis=0)
    spread = np.maximum(high - low, np.finfo(np.float32).tiny)
    corners = np.rint((places - low) / spread * (side - small)).astype(int)  # (n, 2) left, top
    sheet = np.full((side, side, 3), 255, np.uint8)
    for thumbnail, (left, top) in zip(thumbnails, corners, strict=True):
        sheet[top : top + small, left : left + small] = thumbnail
    return sheet
