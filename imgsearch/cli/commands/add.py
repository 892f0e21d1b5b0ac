"""The command `add`."""

from pathlib import Path
from typing import Annotated

import typer

from imgsearch.cli.advice import reason_with_advice
from imgsearch.cli.grammar import examples
from imgsearch.cli.options import IndexOption, JsonOption, NoPreviewsOption
from imgsearch.cli.output import note, say, say_json, say_reasons, tracking
from imgsearch.cli.signals import stopping


@examples("imgsearch add ~/Pictures", "imgsearch add animals.zip --labels-from-folders")
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Folders, zip archives or image files.")],
    labels_from_folders: Annotated[
        bool, typer.Option("--labels-from-folders", help="Label each image with the name of its folder.")
    ] = False,
    no_previews: NoPreviewsOption = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Add images of folders, zip archives and files."""
    from imgsearch.workflows import ingest

    with stopping() as stop, tracking("adding") as progress:
        report = ingest.add(
            paths,
            index,
            labels_from_folders=labels_from_folders,
            previews=not no_previews,
            on_progress=progress,
            stop=stop,
        )
    if report.recovered:
        note(report.recovered)
    if json:
        say_json({"counts": report.counts, "reasons": report.reasons})
        return
    say("  ".join(f"{verdict} {n:,}" for verdict, n in report.counts.items()))
    say_reasons(report.reasons)
    for source, reason in report.problems:
        note(f"{source}: {reason_with_advice(reason)}")
    if report.counts["kept"]:
        note("next: imgsearch reindex")
