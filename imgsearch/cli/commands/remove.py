"""The command `remove`."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgsearch.cli.grammar import UsageError, examples
from imgsearch.cli.options import ROW_PREFIX, IndexOption, as_usage_error, row_number
from imgsearch.cli.output import say

if TYPE_CHECKING:
    from imgsearch.workflows.removal import TakedownResult


@examples(
    "imgsearch remove row:12 row:13",
    "imgsearch remove https://example.org/cat.jpg",
    "imgsearch remove --forget https://example.org/cat.jpg",
    "imgsearch remove --host example.org --url-prefix https://example.net/gallery/",
    "imgsearch remove --undo --host example.org",
)
def remove(
    images: Annotated[
        list[str] | None,
        typer.Argument(metavar="row:N|URL", help="Rows, or addresses under which images were found."),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="HOST",
            help="All images of a host, whose addresses are never fetched again; *.example.org includes subdomains.",
        ),
    ] = None,
    url_prefix: Annotated[
        list[str] | None,
        typer.Option(
            "--url-prefix",
            metavar="URL",
            help="All images whose address starts with URL; such addresses are never fetched again.",
        ),
    ] = None,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget",
            help="Never fetch the addresses of row:N or URL again either (implied by --host and --url-prefix).",
        ),
    ] = False,
    undo: Annotated[
        bool,
        typer.Option("--undo", help="Bring back what the same line without --undo removed, and allow fetching it."),
    ] = False,
    index: IndexOption = None,
) -> None:
    """Remove images from every search at once.

    With --host and --url-prefix the addresses are never fetched again either.
    """
    from imgsearch.workflows import removal

    if not (images or host or url_prefix):
        raise UsageError("nothing is named: write row:N, an address, --host HOST or --url-prefix URL")
    named = [row_number(image) if image.startswith(ROW_PREFIX) else image for image in images or ()]
    change = removal.undo if undo else removal.remove
    with as_usage_error():
        result = change(named, index, hosts=host or (), url_prefixes=url_prefix or (), forget=forget)
    done = "brought back" if undo else "removed"
    if result.named:
        all_before = "" if result.changed else f": all were {done} before"
        say(f"{done} {result.changed:,} of {result.named:,} images{all_before}")
    for takedown in result.takedowns:
        say(_takedown_line(takedown, undo=undo))


def _takedown_line(takedown: "TakedownResult", *, undo: bool) -> str:
    name = f"{takedown.kind} {takedown.value}"
    if not undo:
        return f"{name}: removed {takedown.images or 0:,} images; it will not be fetched again"
    if takedown.images is None:
        return f"{name}: was not taken down; it may be fetched"
    return f"{name}: brought back {takedown.images:,} images; it may be fetched"
