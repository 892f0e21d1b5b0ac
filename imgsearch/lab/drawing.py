"""Pictures of findings: grids of small images, curves, planes of points. The only module here with matplotlib."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
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


@dataclass(frozen=True)
class Plate:
    """A matrix of numbers with its name; `marked` is a square (row, column, side) to frame."""

    name: str
    values: NDArray[np.floating]
    marked: tuple[int, int, int] | None = None


def plates(lines: Sequence[Sequence[Plate]]) -> bytes:
    """A PNG of lines of matrices: each value written on a square, blue below zero, orange above, zeros left white."""
    n = max(len(line) for line in lines)
    figure = new_figure(2.5 * n, 2.9 * len(lines))
    largest = max(float(np.abs(plate.values).max()) for line in lines for plate in line)
    for all_axes, line in zip(figure.subplots(len(lines), n, squeeze=False), lines, strict=True):
        for axes in all_axes:
            axes.axis("off")
        for axes, plate in zip(all_axes, line, strict=False):
            _draw_plate(axes, plate, largest)
    return as_png(figure)


def _draw_plate(axes: Axes, plate: Plate, largest: float) -> None:
    axes.imshow(plate.values, cmap="PuOr_r", vmin=-1.6 * largest, vmax=1.6 * largest)  # pale enough to write on
    for (row, column), value in np.ndenumerate(plate.values):
        axes.text(column, row, f"{value:g}", ha="center", va="center", fontsize=8, color="0.8" if value == 0 else "0")
    if plate.marked is not None:
        row, column, side = plate.marked
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), side, side, fill=False, linewidth=2, edgecolor="#d55e00"))
    axes.set_title(plate.name, fontsize=9)


def montage(images: NDArray[Any]) -> NDArray[Any]:
    """Images (rows, columns, h, w) or (rows, columns, h, w, 3) as one large one, side by side without gaps."""
    n_rows, n_columns, height, width, *colours = images.shape
    return images.swapaxes(1, 2).reshape(n_rows * height, n_columns * width, *colours)


def plane_and_strips(plane: NDArray[Any], strips: Mapping[str, NDArray[Any]]) -> bytes:
    """A PNG of one large square image, and beside it named images one below the other."""
    height = 1.5 + sum(10.5 * len(strip) / strip.shape[1] + 0.25 for strip in strips.values()) if strips else 6.5
    figure = new_figure(height + 10.5 if strips else height, height)
    left, *right = figure.subfigures(1, 2 if strips else 1, squeeze=False)[0]
    axes = left.subplots()
    show_image(axes, plane)
    axes.set_title("the plane of a code of two numbers", fontsize=9)
    if strips:
        ratios = [len(strip) / strip.shape[1] + 0.03 for strip in strips.values()]
        all_axes = right[0].subplots(len(strips), squeeze=False, height_ratios=ratios)[:, 0]
        for axes, (name, strip) in zip(all_axes, strips.items(), strict=True):
            show_image(axes, strip)
            axes.set_title(name, fontsize=9)
    return as_png(figure)
