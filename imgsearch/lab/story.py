"""All experiments in the lecture's order, and what became of each. Must not know how an experiment works."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imgsearch.errors import ImgSearchError
from imgsearch.lab.chapters import CHAPTERS, SMALL_REMARK
from imgsearch.lab.finding import SMALL, Lab, Told, write_finding
from imgsearch.lab.page import as_page
from imgsearch.lab.registry import EXPERIMENTS, run_experiment
from imgsearch.paths import replacing
from imgsearch.progress import part_of

logger = logging.getLogger(__name__)


def in_order() -> list[str]:
    """The names of all experiments as the lecture comes to them; what it does not come to stands last."""
    places = {chapter.name: place for place, chapter in enumerate(CHAPTERS)}
    return sorted(EXPERIMENTS, key=lambda name: places.get(name, len(places)))


def tell_story(lab: Lab, names: Sequence[str]) -> Iterator[Told]:
    """Run these experiments one after the other and yield what became of each; the page grows with them.

    An experiment that cannot be run does not keep the others from it: its reason is told instead. `lab.stop` ends the
    story early, and the page then holds what was found until then.

    Raises:
        IndexDirectoryError: the pictures or the page cannot be written.
    """
    story: list[Told] = []
    for number, name in enumerate(names):
        told = _run(name, _part_of(lab, number, names))
        if told.finding is not None:
            write_finding(lab.paths, told.finding)
        elif lab.stop():
            return
        story.append(told)
        page = page_of(lab)
        with replacing(page) as temporary:
            temporary.write_text(as_page(story, remark=SMALL_REMARK if lab.size == SMALL else ""), encoding="utf-8")
        yield told
        if lab.stop():
            return


def page_of(lab: Lab) -> Path:
    """Where the page lies."""
    return lab.paths.lab / "index.html"


def _run(name: str, lab: Lab) -> Told:
    try:
        return Told(name, run_experiment(name, lab))
    except ImgSearchError as error:
        return Told(name, None, str(error))
    except Exception as error:  # a defect of one experiment, too, must not lose hours of the others
        logger.exception("%s failed", name)
        return Told(name, None, f"it failed unexpectedly ({type(error).__name__}: {error}).")


def _part_of(lab: Lab, number: int, names: Sequence[str]) -> Lab:
    """The lab, in which the progress of one experiment is a part of the whole story's."""
    part = part_of(lab.on_progress, number / len(names), (number + 1) / len(names))

    def report(done: float, total: float | None, text: str = "") -> None:
        part(done, total, f"{names[number]}: {text}")

    return replace(lab, on_progress=report)
