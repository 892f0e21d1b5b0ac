"""The lecture: all experiments, run one after the other, and the page that shows their findings."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imgsearch.errors import ImgSearchError
from imgsearch.lab.finding import SMALL, ChapterResult, Lab, write_finding
from imgsearch.lab.page import lecture_page
from imgsearch.lab.registry import EXPERIMENTS, run_experiment
from imgsearch.paths import replacing
from imgsearch.progress import part_of

SMALL_REMARK = (
    "These are the experiments at their small size, which run for seconds to show that they work. The results that the "
    "chapters describe need the default size."
)

logger = logging.getLogger(__name__)


def run_lecture(lab: Lab, names: Sequence[str] | None = None) -> Iterator[ChapterResult]:
    """Run experiments (default: all) one after the other and yield their results; the page is updated after each.

    An experiment that fails does not end the lecture; its chapter shows the reason. `lab.stop` ends the lecture early,
    with a page of the chapters until then.

    Raises:
        IndexDirectoryError: the pictures or the page cannot be written.
    """
    names = list(EXPERIMENTS) if names is None else names
    results: list[ChapterResult] = []
    for number, name in enumerate(names):
        result = _run(name, _part_of(lab, number, names))
        if result.finding is not None:
            write_finding(lab.paths, result.finding)
        elif lab.stop():
            return
        results.append(result)
        with replacing(page_path(lab)) as temporary:
            remark = SMALL_REMARK if lab.size == SMALL else ""
            temporary.write_text(lecture_page(results, remark=remark), encoding="utf-8")
        yield result
        if lab.stop():
            return


def page_path(lab: Lab) -> Path:
    """Return the path of the lecture's page."""
    return lab.paths.lab / "index.html"


def _run(name: str, lab: Lab) -> ChapterResult:
    try:
        return ChapterResult(name, run_experiment(name, lab))
    except ImgSearchError as error:
        return ChapterResult(name, None, str(error))
    except Exception as error:  # a defect of one experiment must not lose hours of work on the others
        logger.exception("%s failed", name)
        return ChapterResult(name, None, f"it failed unexpectedly ({type(error).__name__}: {error}).")


def _part_of(lab: Lab, number: int, names: Sequence[str]) -> Lab:
    """Return the lab with a progress callback for one experiment of several."""
    part = part_of(lab.on_progress, number / len(names), (number + 1) / len(names))

    def report(done: float, total: float | None, text: str = "") -> None:
        part(done, total, f"{names[number]}: {text}")

    return replace(lab, on_progress=report)
