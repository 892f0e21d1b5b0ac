"""Options that several commands share, and the checks of numbers. Imports nothing heavy, so that `--help` is quick."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crawler.errors import SeedError
from imgsearch.cli.advice import with_advice
from imgsearch.cli.grammar import UsageError
from imgsearch.cli.output import note
from imgsearch.errors import ModelError

if TYPE_CHECKING:
    from imgsearch.device import DeviceChoice

ROW_PREFIX = "row:"
DEFAULT_PORT = 8501

# ----------------------------------------------------------------------------------------------------------------------
# Numbers. typer's own ranges accept NaN.


def _number(text: str, least: float, most: float, wanted: str, *, whole: bool = False) -> float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:  # false for NaN
        raise typer.BadParameter(f"{text!r} is not {wanted}")
    return value


def count(text: str) -> int:
    return int(_number(text, 1, 2**53, "a whole number from 1", whole=True))


def depth(text: str) -> int:
    return int(_number(text, 0, 1000, "a whole number from 0 to 1000", whole=True))


def port(text: str) -> int:
    return int(_number(text, 1, 65535, "a port from 1 to 65535", whole=True))


def seconds(text: str) -> float:
    return _number(text, 0, 3600, "a number of seconds from 0 to 3600")


def share(text: str) -> float:
    return _number(text, 0, 1, "a number from 0 to 1")


def positive_minutes(text: str) -> float:
    return _number(text, 1e-3, 1e6, "a number of minutes above 0")


def choice(*names: str) -> Callable[[str], str]:
    """Return a parser that accepts these names only, for choices that come from a registry."""

    def parse(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(names)}")
        return text

    return parse


def row_number(text: str) -> int:
    """Return the number in `row:N`.

    Raises:
        UsageError: N is not a whole number.
    """
    number = text.removeprefix(ROW_PREFIX)
    if not number.isascii() or not number.isdigit():
        raise UsageError(f"{text!r} names no row: write {ROW_PREFIX}N with a whole number, as search prints it")
    return int(number)


# ----------------------------------------------------------------------------------------------------------------------
# Options of several commands

IndexOption = Annotated[
    Path | None,
    typer.Option("--index", metavar="DIR", help="The index directory (default: $IMGSEARCH_INDEX, else index/)."),
]
DeviceOption = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
SeedOption = Annotated[int, typer.Option("--seed", metavar="S", help="Seed of every random choice.")]
PortOption = Annotated[int, typer.Option("--port", parser=port, metavar="N", help="Port of the search page.")]
BatchSizeOption = Annotated[
    int, typer.Option("--batch-size", parser=count, metavar="N", help="Images per step; more for long runs.")
]
EpochsOption = Annotated[
    int | None,
    typer.Option("--epochs", parser=count, metavar="N", help="Passes over the corpus, instead of a time."),
]
KeepOption = Annotated[
    Literal["better", "new"],
    typer.Option("--keep", help="Which model to use afterwards: the better one, or the new one in any case."),
]
NoPreviewsOption = Annotated[bool, typer.Option("--no-previews", help="Store the 32x32 thumbnails only.")]
AllowPrivateOption = Annotated[
    bool, typer.Option("--allow-private", help="Allow addresses of this machine and its local network.")
]


@contextmanager
def as_usage_error() -> Iterator[None]:
    """Report values that the library refuses (settings of a model, URLs, hosts) as wrong usage."""
    try:
        yield
    except (ModelError, SeedError) as error:
        raise UsageError(with_advice(error)) from error


def chosen_device(name: str) -> "DeviceChoice":
    """Return the device of this name, after printing why it was chosen.

    Raises:
        DeviceError: it does not exist here.
    """
    from imgsearch.device import pick_device

    device = pick_device(name)
    note(device.reason)
    return device
