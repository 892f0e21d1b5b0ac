"""The command `demo`: the whole loop on a gallery, each step run as the command line that a user would type."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from imgsearch.cli.grammar import PROGRAM, carry_out, examples
from imgsearch.cli.options import DEFAULT_PORT, DeviceOption, IndexOption, PortOption, positive_minutes
from imgsearch.cli.output import note, tracking
from imgsearch.errors import DemoError, Hint, ModelError
from imgsearch.paths import IndexPaths, index_paths, replacing

GALLERY_PORT = 8600
TEXT_MINUTES = 0.25  # at most: the gallery has few alt texts, and they are similar
Dataset = Literal["gallery", "cifar10"]
DEMO_MINUTES: dict[Dataset, float] = {"gallery": 2.0, "cifar10": 10.0}


@examples("imgsearch demo", "imgsearch demo --port 8599", "imgsearch demo --no-app --index try")
def demo(
    no_app: Annotated[bool, typer.Option("--no-app", help="Stop before the search page is started.")] = False,
    port: PortOption = DEFAULT_PORT,
    dataset: Annotated[
        Dataset,
        typer.Option("--dataset", help="The drawn gallery, or CIFAR-10 downloaded by torchvision (needs internet)."),
    ] = "gallery",
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes",
            parser=positive_minutes,
            metavar="M",
            help="Time to train (default: "
            + ", ".join(f"{minutes:g} on {name}" for name, minutes in DEMO_MINUTES.items())
            + ").",
        ),
    ] = None,
    index: IndexOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Try everything on a gallery of drawn pictures.

    Runs crawl, train, reindex, evaluate and app, offline.
    """
    from imgsearch.web.server import LOOPBACK, check_port

    if not no_app:
        check_port(LOOPBACK, port)  # now, not after minutes of work
    paths = index_paths(index)
    _claim_for_demo(paths.root, dataset)
    budget = minutes or DEMO_MINUTES[dataset]
    with _collecting(dataset, paths.root) as collect:
        steps = [
            collect,
            ["train", "--minutes", f"{budget:g}", "--device", device],
            ["train", "--text", "--minutes", f"{min(TEXT_MINUTES, budget):g}", "--device", device],
            ["reindex", "--device", device],
            ["evaluate", "--device", device],
            [] if no_app else ["app", "--port", str(port)],
        ]
        for step in filter(None, steps):
            _run_step(step, paths)


def _run_step(step: Sequence[str], paths: IndexPaths) -> None:
    if step[0] == "train" and _is_trained(paths.text if "--text" in step else paths):
        again = shlex.join([PROGRAM, *(word for word in step[:2] if word in ("train", "--text"))])
        note(f"\nA model is there already. To train again: {again} --index {paths.root}")
        return
    line = [*step, "--index", str(paths.root)]
    note(f"\n$ {PROGRAM} {shlex.join(line)}")
    carry_out(line)


@contextmanager
def _collecting(dataset: Dataset, root: Path) -> Iterator[list[str]]:
    """Yield the command line that collects the images of the data set; the gallery's site runs until the end."""
    if dataset == "gallery":
        from imgsearch.demo.site import GallerySite

        with GallerySite(GALLERY_PORT) as site:
            yield ["crawl", site.url, "--allow-private", "--delay", "0", "--labels-from-folders"]
        return
    from imgsearch.demo.cifar10 import cifar10_archive

    with tracking("downloading CIFAR-10") as progress:
        archive = cifar10_archive(root / "cifar10", on_progress=progress)
    yield ["add", str(archive), "--labels-from-folders"]


def _claim_for_demo(root: Path, dataset: str) -> None:
    """Mark a new index directory as this demo's, so that drawn pictures are never mixed with a user's own.

    Raises:
        DemoError: the directory holds a corpus that is not this demo's.
    """
    marker = root / "demo.json"
    claim = json.dumps({"dataset": dataset})
    if marker.exists() and marker.read_text(encoding="utf-8") == claim:
        return
    if index_paths(root).corpus_database.exists():
        raise DemoError(f"{root} holds other images already.", hint=Hint.OTHER_INDEX)
    with replacing(marker) as temporary:
        temporary.write_text(claim, encoding="utf-8")


def _is_trained(paths: IndexPaths) -> bool:
    """Whether an earlier demo completed its training here."""
    from imgsearch.autoencoder.card import read_card

    try:
        card = read_card(paths.model)
    except ModelError:
        return False
    return bool(card.training.get("finished"))
