"""Deconvolution is convolution: a transposed convolution and the convolution that gives the same, drawn step by step.

Needs no data and no training. Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016).
What a network calls deconvolution (Zeiler et al. 2011) is the transpose of a convolution's matrix. To multiply by it is
to convolve the input, with zeros between its values where the stride is above 1 and zeros around it, with the kernel
turned by half a circle.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsearch.lab.drawing import Plate, plates
from imgsearch.lab.finding import Finding, Lab

SIDE, KERNEL_SIDE = 4, 3
STRIDES = (1, 2)
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    """One example, from the input to the two outputs."""

    stride: int
    values: Matrix  # (n, n) the input
    kernel: Matrix  # (k, k)
    spread: Matrix  # the input with stride - 1 zeros between its values and k - 1 zeros around it
    turned: Matrix  # (k, k) the kernel, turned by half a circle
    transposed: Matrix  # (m, m), m = stride * (n - 1) + k: the matrix of the convolution, transposed, times the input
    convolved: Matrix  # the same, by convolving `spread` with `turned`
    by_torch: Matrix  # the same, by torch's conv_transpose2d

    @property
    def difference(self) -> float:
        """The largest difference between the three outputs."""
        others = (self.convolved, self.by_torch)
        return max(float(np.abs(self.transposed - other).max()) for other in others)


def run(lab: Lab) -> Finding:
    """Two small examples, of stride 1 and of stride 2; every size is the same, for there is nothing to wait for."""
    examples = []
    for number, stride in enumerate(STRIDES):
        lab.on_progress(number / len(STRIDES), 1, f"stride {stride}")
        rng = np.random.default_rng((lab.seed, stride))
        values, kernel = (rng.integers(-3, 4, (side, side)).astype(float) for side in (SIDE, KERNEL_SIDE))
        examples.append(deconvolve(values, kernel, stride))
    worst = max(example.difference for example in examples)
    return Finding(
        name="deconv",
        title="Deconvolution is convolution",
        source="Zeiler et al. 2011; Dumoulin & Visin 2016",
        data=f"Whole numbers drawn at random: an input of {SIDE}×{SIDE} and a kernel of {KERNEL_SIDE}×{KERNEL_SIDE}.",
        columns=("stride", "input", "with zeros", "output", "largest difference"),
        lines=tuple(_line(example) for example in examples),
        figures={
            f"stride-{example.stride}": {
                "difference": example.difference,
                **{name: value.tolist() for name, value in vars(example).items() if name != "stride"},
            }
            for example in examples
        },
        conclusion=(
            "The transposed convolution and the convolution of the spread input with the turned kernel give the same "
            f"numbers; the largest difference is {worst:.1g}."
        ),
        picture=plates([_plates(example) for example in examples]),
    )


def deconvolve(values: Matrix, kernel: Matrix, stride: int) -> Steps:
    """An input (n, n) and a kernel (k, k) through a transposed convolution, three ways."""
    import torch  # slow to import
    from torch.nn.functional import conv_transpose2d

    spread, turned = spread_out(values, stride, len(kernel) - 1), kernel[::-1, ::-1]
    weight = torch.from_numpy(kernel)[None, None]
    by_torch = conv_transpose2d(torch.from_numpy(values)[None, None], weight, stride=stride)
    return Steps(
        stride,
        values,
        kernel,
        spread,
        turned.copy(),
        transposed_convolution(values, kernel, stride),
        convolution(spread, turned),
        by_torch[0, 0].numpy(),
    )


def spread_out(values: Matrix, stride: int, around: int) -> Matrix:
    """Values (n, n) with `stride` - 1 zeros between them and a frame of `around` zeros.

    >>> spread_out(np.array([[1.0, 2.0], [3.0, 4.0]]), 2, 0).tolist()
    [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [3.0, 0.0, 4.0]]
    """
    side = stride * (len(values) - 1) + 1
    spread = np.zeros((side, side))
    spread[::stride, ::stride] = values
    return np.pad(spread, around)


def convolution(values: Matrix, kernel: Matrix, stride: int = 1) -> Matrix:
    """What networks call convolution: the kernel slides over the values as it is, where it fits in whole."""
    windows = np.lib.stride_tricks.sliding_window_view(values, kernel.shape)[::stride, ::stride]
    return np.asarray(np.einsum("xyij,ij->xy", windows, kernel))


def transposed_convolution(values: Matrix, kernel: Matrix, stride: int) -> Matrix:
    """By its definition: C is the matrix of the convolution of this kernel and stride that ends in (n, n); C'values."""
    side = stride * (len(values) - 1) + len(kernel)
    basis = np.eye(side**2).reshape(-1, side, side)
    columns = [convolution(unit, kernel, stride).ravel() for unit in basis]  # of C: (n², side²)
    return np.asarray(np.stack(columns) @ values.ravel()).reshape(side, side)


def _line(example: Steps) -> tuple[str, ...]:
    sides = (len(part) for part in (example.values, example.spread, example.convolved))
    return (str(example.stride), *(f"{side}×{side}" for side in sides), f"{example.difference:.1g}")


def _plates(example: Steps) -> list[Plate]:
    """The steps in words, with one place of the kernel and what it gives there marked."""
    k = len(example.kernel)
    zeros = "zeros around" if example.stride == 1 else "zeros between and around"
    return [
        Plate(f"stride {example.stride}: the input", example.values),
        Plate("the kernel", example.kernel),
        Plate("transposed convolution", example.transposed, marked=(2, 2, 1)),
        Plate(f"the input, {zeros}", example.spread, marked=(2, 2, k)),
        Plate("the kernel, turned", example.turned),
        Plate("convolution", example.convolved, marked=(2, 2, 1)),
    ]
