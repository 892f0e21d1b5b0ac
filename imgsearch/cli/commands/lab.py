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
    names={name: experiment.summary for name, experiment in EXPERIMENTS.items()}
    | {ALL: "run all of them and write the page lab/index.html"},
)
def lab(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The experiment; the names are listed below.",
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
    from imgsearch.lab.lecture import page_path, run_lecture

    results = []
    for result in run_lecture(setting):
        results.append(result)
        if result.finding is None:
            note(f"{result.name} is not shown: {result.reason}")
        elif not json:
            _say_finding(result.finding)
            say("")
    if all(result.finding is None for result in results):
        raise LabError(f"no experiment could be run. {' '.join(result.reason for result in results)}".strip())
    if json:
        say_json({one.name: one.finding.to_json() if one.finding else {"reason": one.reason} for one in results})
    note(f"written to {page_path(setting)}")


def _say_finding(finding: "Finding") -> None:
    say(f"{finding.title}\n{finding.data}")
    say_table(finding.columns, finding.lines)
    say(finding.conclusion)
