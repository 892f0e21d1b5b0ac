"""The command `compact`."""

from imgsearch.cli.grammar import examples
from imgsearch.cli.options import IndexOption
from imgsearch.cli.output import say


@examples("imgsearch compact", "imgsearch compact --index try")
def compact(index: IndexOption = None) -> None:
    """Erase removed images for good.

    Their pictures, texts and codes are overwritten and cannot be brought back.
    """
    from imgsearch.workflows import removal

    result = removal.compact(index)
    total = f" ({result.removed:,} in total so far)" if result.removed != result.erased else ""
    say(f"erased {result.erased:,} images{total}")
