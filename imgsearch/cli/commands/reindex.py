"""The command `reindex`."""

from typing import Annotated

import typer

from imgsearch.cli.grammar import examples
from imgsearch.cli.options import DeviceOption, IndexOption, chosen_device
from imgsearch.cli.output import note, say, tracking


@examples("imgsearch reindex", "imgsearch reindex --full")
def reindex(
    index: IndexOption = None,
    full: Annotated[bool, typer.Option("--full", help="Encode every image again.")] = False,
    device: DeviceOption = "auto",
) -> None:
    """Encode new images and build the index.

    Only images without a code of the current model are encoded. The old index is used until the new one is complete.
    """
    from imgsearch.workflows import reindexing

    chosen = chosen_device(device)
    with tracking("reindexing") as progress:
        result = reindexing.reindex(index, device=chosen, full=full, on_progress=progress)
    if result.described is not None:
        note(f"indexed the words of {result.described:,} images")
    say(f"indexed {result.rows:,} rows by model {result.model[:12]}")
