"""The demo: the whole loop on a gallery, each step as the command that a user would type."""

import json
import shlex
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from imgsearch.autoencoder.card import read_card
from imgsearch.cli.output import note, tracking
from imgsearch.errors import DemoError, ModelError
from imgsearch.paths import IndexPaths, index_paths, replacing
from imgsearch.web.server import LOOPBACK, check_port

GALLERY_PORT = 8600
TEXT_MINUTES = 0.25  # at most: the gallery's alt texts are few and alike
DEMO_MINUTES = {"gallery": 2.0, "cifar10": 10.0}


def demo(arguments: Namespace, *, type_in: Callable[[Sequence[str]], None]) -> None:
    """Run the whole loop; `type_in` carries out one command line.

    Raises:
        AppError: the page's port is in use.
        DemoError: the index directory holds other images, or CIFAR-10 cannot be downloaded.
        ImgSearchError: what a step raises.
    """
    if not arguments.no_app:
        check_port(LOOPBACK, arguments.port)  # now, not after the minutes of work that lead there
    root = str(index_paths(arguments.index).root)
    _claim_for_demo(Path(root), arguments.dataset)
    with ExitStack() as stack:
        if arguments.dataset == "gallery":
            from imgsearch.demo.site import GallerySite

            site = stack.enter_context(GallerySite(GALLERY_PORT))
            collect = ["crawl", site.url, "--allow-private", "--delay", "0", "--labels-from-folders"]
        else:
            from imgsearch.demo.cifar10 import cifar10_archive

            with tracking("downloading CIFAR-10") as tracker:
                archive = cifar10_archive(Path(root) / "cifar10", on_progress=tracker)
            collect = ["add", str(archive), "--labels-from-folders"]
        minutes = arguments.minutes or DEMO_MINUTES[arguments.dataset]
        steps = [
            collect,
            ["train", "--minutes", f"{minutes:g}", "--device", arguments.device],
            ["train", "--text", "--minutes", f"{min(TEXT_MINUTES, minutes):g}", "--device", arguments.device],
            ["reindex", "--device", arguments.device],
            ["evaluate", "--device", arguments.device],
            [] if arguments.no_app else ["app", "--port", str(arguments.port)],
        ]
        for step in filter(None, steps):
            if step[0] == "train" and _is_trained(index_paths(root).text if "--text" in step else index_paths(root)):
                again = shlex.join(["imgsearch", *(word for word in step[:2] if word in ("train", "--text"))])
                note(f"\nA model is there already. To train again: {again} --index {root}")
                continue
            line = [*step, "--index", root]
            note(f"\n$ imgsearch {shlex.join(line)}")
            type_in(line)


def _claim_for_demo(root: Path, dataset: str) -> None:
    """Mark a new index directory as this demo's, so that drawn pictures never end up among a user's own.

    Raises:
        DemoError: the directory holds a corpus that is not this demo's.
    """
    marker = root / "demo.json"
    claim = json.dumps({"dataset": dataset})
    if marker.exists() and marker.read_text(encoding="utf-8") == claim:
        return
    if index_paths(root).corpus_database.exists():
        raise DemoError(f"{root} holds other images already. Give the demo its own place: imgsearch demo --index DIR")
    with replacing(marker) as temporary:
        temporary.write_text(claim, encoding="utf-8")


def _is_trained(paths: IndexPaths) -> bool:
    """Whether an earlier demo ended its training here."""
    try:
        card = read_card(paths.model)
    except ModelError:
        return False
    return bool(card.training.get("finished"))
