"""The command `status`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imgsearch.cli.grammar import examples
from imgsearch.cli.options import IndexOption, JsonOption
from imgsearch.cli.output import readable_bytes, say, say_json

if TYPE_CHECKING:
    from imgsearch.workflows.status import Status


@examples("imgsearch status", "imgsearch status --json --index try")
def status(index: IndexOption = None, json: JsonOption = False) -> None:
    """Show what the index directory holds."""
    from imgsearch.workflows.status import read_status

    state = read_status(index)
    if json:
        say_json(state.to_json())
        return
    for line in _lines(state):
        say(line)


def _lines(state: "Status") -> Iterator[str]:
    per_image = readable_bytes(state.preview_bytes / state.rows) if state.rows else "0 B"
    removed = f" ({state.removed:,} removed)" if state.removed else ""
    near = f", {state.near_duplicates:,} of them near-duplicates" if state.near_duplicates else ""
    yield f"{state.root}: {readable_bytes(state.index_bytes)}"
    yield f"images   {state.images:,}{removed}{near}"
    yield f"previews {readable_bytes(state.preview_bytes)} ({per_image} per image)"
    yield f"model    {state.model[:12]}" + (" (comes with imgsearch)" if state.shipped else " (trained here)")
    yield f"coded    {state.coded:,} of {state.rows:,} rows"
    yield f"indexed  {state.indexed:,} of {state.rows:,} rows"
    if state.text_model:
        yield f"words    {state.words_coded:,} of {state.rows:,} rows, by model {state.text_model[:12]}"
    yield "crawl    " + "  ".join(f"{name} {n:,}" for name, n in state.crawl.items())
    yield f"next     {_next_step(state)}"


def _next_step(state: "Status") -> str:
    """Return the command that brings the directory one step closer to being searched."""
    if not state.images:
        return "imgsearch add FOLDER, or imgsearch crawl URL"
    if state.indexed < state.rows:
        return "imgsearch reindex"
    return "imgsearch app"
