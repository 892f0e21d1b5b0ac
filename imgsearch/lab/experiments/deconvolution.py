"""Deconvolution is convolution: a transposed convolution and an equal convolution, drawn step by step.

Needs no data and no training. Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016).
What networks call deconvolution (Zeiler et al. 2011) multiplies by the transposed matrix of a convolution. That equals
a convolution with the kernel rotated by 180 degrees, of the input with zeros around and, where the stride is above 1,
between its values.
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
    spread: Matrix  # the input with stride - 1 zeros between its values and k - 1 zeros around
    rotated: Matrix  # (k, k) the kernel, rotated by 180 degrees
    transposed: Matrix  # (m, m), m = stride * (n - 1) + k: the matrix of the convolution, transposed, times the input
    convolved: Matrix  # the same, by convolving `spread` with `rotated`
    by_torch: Matrix  # the same, by torch's conv_transpose2d

    @property
    def difference(self) -> float:
        """Return the largest difference between the three outputs."""
        others = (self.convolved, self.by_torch)
        return max(float(np.abs(self.transposed - other).max()) for other in others)


def run(lab: Lab) -> Finding:
    """Compute two small examples, with strides 1 and 2; the same for every size of the experiment."""
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
        data=f"Random whole numbers: an input of {SIDE}×{SIDE} and a kernel of {KERNEL_SIDE}×{KERNEL_SIDE}.",
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
            "The transposed convolution equals the convolution of the spread input with the rotated kernel; "
            f"the largest difference is {worst:.1g}."
        ),
        picture=plates([_plates(example) for example in examples]),
    )


def deconvolve(values: Matrix, kernel: Matrix, stride: int) -> Steps:
    """Compute the transposed convolution of an input (n, n) and a kernel (k, k) in three ways."""
    import torch  # slow to import
    from torch.nn.functional import conv_transpose2d

    spread, rotated = spread_out(values, stride, len(kernel) - 1), kernel[::-1, ::-1]
    weight = torch.from_numpy(kernel)[None, None]
    by_torch = conv_transpose2d(torch.from_numpy(values)[None, None], weight, stride=stride)
    return Steps(
        stride,
        values,
        kernel,
        spread,
        rotated.copy(),
        transposed_convolution(values, kernel, stride),
        convolution(spread, rotated),
        by_torch[0, 0].numpy(),
    )


def spread_out(values: Matrix, stride: int, around: int) -> Matrix:
    """Return values (n, n) with `stride` - 1 zeros between them and `around` zeros around.

    >>> spread_out(np.array([[1.0, 2.0], [3.0, 4.0]]), 2, 0).tolist()
    [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [3.0, 0.0, 4.0]]
    """
    side = stride * (len(values) - 1) + 1
    spread = np.zeros((side, side))
    spread[::stride, ::stride] = values
    return np.pad(spread, around)


def convolution(values: Matrix, kernel: Matrix, stride: int = 1) -> Matrix:
    """Convolve as networks do (cross-correlation): without flipping the kernel and without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(values, kernel.shape)[::stride, ::stride]
    return np.asarray(np.einsum("xyij,ij->xy", windows, kernel))


def transposed_convolution(values: Matrix, kernel: Matrix, stride: int) -> Matrix:
    """Multiply by C' where C is the matrix of the convolution with this kernel and stride whose output is (n, n)."""
    side = stride * (len(values) - 1) + len(kernel)
    basis = np.eye(side**2).reshape(-1, side, side)
    columns = [convolution(unit, kernel, stride).ravel() for unit in basis]  # rows of C', (side², n²)
    return np.asarray(np.stack(columns) @ values.ravel()).reshape(side, side)


def _line(example: Steps) -> tuple[str, ...]:
    sides = (len(part) for part in (example.values, example.spread, example.convolved))
    return (str(example.stride), *(f"{side}×{side}" for side in sides), f"{example.difference:.1g}")


def _plates(example: Steps) -> list[Plate]:
    """Return the named steps, with one position of the kernel and its result framed."""
    k = len(example.kernel)
    zeros = "zeros around" if example.stride == 1 else "zeros between and around"
    return [
        Plate(f"stride {example.stride}: the input", example.values),
        Plate("the kernel", example.kernel),
        Plate("transposed convolution", example.transposed, marked=(2, 2, 1)),
        Plate(f"the input, {zeros}", example.spread, marked=(2, 2, k)),
        Plate("the kernel, rotated", example.rotated),
        Plate("convolution", example.convolved, marked=(2, 2, 1)),
    ]
