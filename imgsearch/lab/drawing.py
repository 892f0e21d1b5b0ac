"""Pictures of the findings: grids of small images, curves, points in a plane. The only lab module with matplotlib."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

DOTS_PER_INCH = 150
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#222222", "#cc79a7", "#8a6d3b", "#56b4e9", "#e69f00", "#999999", "#7a3b8a")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure; sizes in inches."""
    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def as_png(figure: Figure) -> bytes:
    """Return the figure as a PNG file."""
    FigureCanvasAgg(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def rows_of_images(rows: Mapping[str, NDArray[Any]], title: str = "") -> bytes:
    """Return a PNG of named rows of small images: uint8 arrays (n, side, side) or (n, side, side, 3)."""
    n = max(len(images) for images in rows.values())
    figure = new_figure(0.62 * n + 1.6, 0.66 * len(rows) + 0.5)
    _fill_rows(figure.subplots(len(rows), n, squeeze=False), rows)
    if title:
        figure.suptitle(title, fontsize=10)
    return as_png(figure)


def show_image(axes: Axes, image: NDArray[Any]) -> None:
    """Draw one small image in colours or in grey (dark on white, like ink), with its pixels as squares."""
    axes.imshow(image, cmap="gray_r" if image.ndim == 2 else None, vmin=0, vmax=255, interpolation="nearest")
    axes.axis("off")


def curves(axes: Axes, lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str) -> None:
    """Draw curves with a legend; `lines` maps names to (x, y)."""
    for colour, (name, (xs, ys)) in zip(COLOURS * 3, lines.items(), strict=False):
        axes.plot(xs, ys, label=name, color=colour, linewidth=1.8)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)


def plane(axes: Axes, points: NDArray[np.floating], labels: NDArray[np.int64], title: str) -> None:
    """Draw points (n, 2), coloured by label (n,)."""
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
    """Return a PNG of planes side by side, by name: points (n, 2) and their labels (n,), with one legend."""
    figure = new_figure(4.6 * len(points) + 0.6, 4.8)
    all_axes = figure.subplots(1, len(points), squeeze=False)[0]
    for axes, (name, (places, labels)) in zip(all_axes, points.items(), strict=True):
        plane(axes, places, labels, name)
    all_axes[-1].legend(markerscale=4, fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return as_png(figure)


def curves_beside_images(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, images: Mapping[str, NDArray[Any]]
) -> bytes:
    """Return a PNG of curves with a logarithmic y axis, and beside them a block of small images for each name."""
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


@dataclass(frozen=True)
class Panel:
    """A diagram of curves; `lines` maps names to (x, y)."""

    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    x: str
    y: str
    title: str
    log_x: bool = False
    log_y: bool = False


def panels_and_strip(panels: Sequence[Panel], strip: NDArray[np.uint8], caption: str) -> bytes:
    """Return a PNG of diagrams side by side, and below them a row of small images (n, side, side) with a caption."""
    figure = new_figure(4.6 * len(panels), 4.6)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(4, 1))[:, 0]
    for axes, panel in zip(above.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        curves(axes, panel.lines, panel.x, panel.y)
        axes.set_title(panel.title, fontsize=10)
        if panel.log_x:
            axes.set_xscale("log")
            xs = next(iter(panel.lines.values()))[0]
            axes.set_xticks(xs, [f"{x:,}" for x in xs])
            axes.xaxis.minorticks_off()
        if panel.log_y:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
            axes.yaxis.set_minor_formatter("{x:g}")
        else:
            axes.set_ylim(bottom=0)
    below.suptitle(caption, fontsize=9)
    for axes, image in zip(below.subplots(1, len(strip), squeeze=False)[0], strip, strict=True):
        show_image(axes, image)
    return as_png(figure)


@dataclass(frozen=True)
class Plate:
    """A named matrix of numbers; `marked` is a square (row, column, side) to frame."""

    name: str
    values: NDArray[np.floating]
    marked: tuple[int, int, int] | None = None


def plates(lines: Sequence[Sequence[Plate]]) -> bytes:
    """Return a PNG of lines of matrices, each value in a square: purple below zero, orange above, white for zero."""
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
    """Join images (rows, columns, h, w) or (rows, columns, h, w, 3) to one large image without gaps."""
    n_rows, n_columns, height, width, *colours = images.shape
    return images.swapaxes(1, 2).reshape(n_rows * height, n_columns * width, *colours)


def plane_and_strips(plane: NDArray[Any], strips: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a PNG of one large square image, and beside it named images one below the other."""
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


def picture_planes(planes: Mapping[str, NDArray[np.floating]], thumbnails: NDArray[np.uint8]) -> bytes:
    """Return a PNG of planes, two in a line, by title: thumbnails (n, side, side, 3) at their positions (n, 2)."""
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
    """Paste thumbnails (n, h, h, 3) at their positions (n, 2) on a white square (side, side, 3), which they fill.

    Thumbnails keep their size and may overlap; later ones lie on top.
    """
    small = thumbnails.shape[1]
    low, high = places.min(axis=0), places.max(axis=0)
    spread = np.maximum(high - low, np.finfo(np.float32).tiny)
    corners = np.rint((places - low) / spread * (side - small)).astype(int)  # (n, 2) left, top
    sheet = np.full((side, side, 3), 255, np.uint8)
    for thumbnail, (left, top) in zip(thumbnails, corners, strict=True):
        sheet[top : top + small, left : left + small] = thumbnail
    return sheet


def curves_above_images(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, rows: Mapping[str, NDArray[Any]]
) -> bytes:
    """Return a PNG of curves, and below them rows of small images as in `rows_of_images`."""
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
