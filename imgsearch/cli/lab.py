"""The command `lab`: run the lecture's experiments."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from imgsearch.cli.grammar import UsageError, examples
from imgsearch.cli.options import DeviceOption, IndexOption, JsonOption, SeedOption, chosen_device
from imgsearch.cli.output import note, say, say_json, say_table, tracking
from imgsearch.cli.signals import stopping
from imgsearch.errors import LabError
from imgsearch.lab.registry import EXPERIMENTS
from imgsearch.paths import index_paths

if TYPE_CHECKING:
    from imgsearch.lab.finding import Finding, Lab

ALL = "all"


@examples(
    "imgsearch lab digits-30",
    "imgsearch lab deconv --size small --json",
    "imgsearch lab digits-30 --data mnist.npz --size full",
    "imgsearch lab all --size small",
)
def lab(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help=f"One of {', '.join(EXPERIMENTS)}; or {ALL}, which also writes the page lab/index.html.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Digits (mnist.npz), posts (20news-bydate.zip) or a folder with both, instead of a download.",
        ),
    ] = None,
    size: Annotated[
        Literal["small", "default", "full"],
        typer.Option("--size", help="small: seconds; default: at most ten minutes on two cores; full: as published."),
    ] = "default",
    seed: SeedOption = 0,
    index: IndexOption = None,
    json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Run an experiment of the lecture.

    It draws a picture, prints a table, and leaves both in the directory lab/ of the index directory.
    """
    if name not in (*EXPERIMENTS, ALL):
        raise UsageError(f"there is no experiment {name!r}; there are {', '.join(EXPERIMENTS)}, and {ALL}")
    from imgsearch.lab.finding import Lab, write_finding
    from imgsearch.lab.registry import run_experiment

    paths, chosen = index_paths(index), chosen_device(device)
    with stopping() as stop, tracking(name) as tracker:
        setting = Lab(paths, size, chosen, data, seed, tracker, stop)
        if name == ALL:
            _run_all(setting, json=json)
            return
        finding = run_experiment(name, setting)
    picture = write_finding(paths, finding)
    if json:
        say_json(finding.to_json())
    else:
        _say_finding(finding)
    note(f"drawn into {picture}")


def _run_all(setting: "Lab", *, json: bool) -> None:
    from imgsearch.lab.story import in_order, page_of, tell_story

    story = []
    for told in tell_story(setting, in_order()):
        story.append(told)
        if told.finding is None:
            note(f"{told.name} is not shown: {told.reason}")
        elif not json:
            _say_finding(told.finding)
            say("")
    if all(told.finding is None for told in story):
        raise LabError(f"no experiment could be run. {' '.join(told.reason for told in story)}".strip())
    if json:
        say_json({told.name: told.finding.to_json() if told.finding else {"reason": told.reason} for told in story})
    note(f"written to {page_of(setting)}")


def _say_finding(finding: "Finding") -> None:
    say(f"{finding.title}\n{finding.data}")
    say_table(finding.columns, finding.lines)
    say(finding.conclusion)
