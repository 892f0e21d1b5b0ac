"""The command that runs the lecture's experiments. Knows no experiment; torch is loaded when it runs."""

from argparse import Namespace
from typing import TYPE_CHECKING

from imgsearch.cli.output import note, say, say_json, say_table, tracking
from imgsearch.cli.signals import stopping
from imgsearch.errors import LabError
from imgsearch.paths import index_paths

if TYPE_CHECKING:
    from imgsearch.lab.finding import Finding, Lab


def lab(arguments: Namespace) -> None:
    """Run one of the lecture's experiments, or all, and leave its picture and figures in `lab/`."""
    from imgsearch.device import pick_device
    from imgsearch.lab.finding import Lab, write_finding
    from imgsearch.lab.registry import run_experiment

    paths = index_paths(arguments.index)
    device = pick_device(arguments.device)
    note(device.reason)
    with stopping() as stop, tracking(arguments.name) as tracker:
        room = Lab(paths, arguments.size, device, arguments.data, arguments.seed, tracker, stop)
        if arguments.name == "all":
            _tell_all(room, as_json=arguments.json)
            return
        finding = run_experiment(arguments.name, room)
    picture = write_finding(paths, finding)
    if arguments.json:
        say_json(finding.to_json())
    else:
        _say_finding(finding)
    note(f"drawn into {picture}")


def _tell_all(lab: "Lab", *, as_json: bool) -> None:
    from imgsearch.lab.story import in_order, page_of, tell_story

    story = []
    for told in tell_story(lab, in_order()):
        story.append(told)
        if told.finding is None:
            note(f"{told.name} is not shown: {told.reason}")
        elif not as_json:
            _say_finding(told.finding)
            say("")
    if all(told.finding is None for told in story):
        raise LabError(f"no experiment found anything. {' '.join(told.reason for told in story)}".strip())
    if as_json:
        say_json({told.name: told.finding.to_json() if told.finding else {"reason": told.reason} for told in story})
    note(f"told in {page_of(lab)}")


def _say_finding(finding: "Finding") -> None:
    say(f"{finding.title}\n{finding.data}")
    say_table(finding.columns, finding.lines)
    say(finding.conclusion)
