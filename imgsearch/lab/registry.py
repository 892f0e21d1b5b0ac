"""The experiments in the lecture's order, by name. One line each; a module is loaded when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

from imgsearch.errors import LabError

if TYPE_CHECKING:
    from imgsearch.lab.finding import Finding, Lab

EXPERIMENTS = {  # the name, and the module and function that runs it
    "digits-30": "digits:run_30",
    "digits-2d": "digits:run_2d",
    "pretraining": "pretraining:run",
    "denoise": "noise:run",
    "contract": "contraction:run",
    "unpool": "unpooling:run",
    "deconv": "deconvolution:run",
    "generate": "generation:run",
    "text": "texts:run",
    "ladder": "ladders:run",
    "map": "maps:run",
}


def run_experiment(name: str, lab: "Lab") -> "Finding":
    """Run the experiment of this name.

    Raises:
        LabError: there is none, or it has no data to run on.
        ModelError: a training that cannot start.
    """
    if name not in EXPERIMENTS:
        raise LabError(f"there is no experiment {name!r}; there are {', '.join(EXPERIMENTS)}, and all.")
    module, _, function = EXPERIMENTS[name].partition(":")
    run = getattr(import_module(f"imgsearch.lab.experiments.{module}"), function)
    finding: Finding = run(lab)
    return finding
