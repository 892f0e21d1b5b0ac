"""Run one experiment of `imgsearch lab` outside an index directory and measure its time."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.protocol import PrintedProgress
from imgsearch.device import DeviceChoice, pick_device
from imgsearch.lab.finding import Finding, Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths


@dataclass(frozen=True)
class TimedFinding:
    """The finding of one experiment and what it cost."""

    finding: Finding
    seconds: float
    processor_seconds: float
    device: DeviceChoice

    def cost(self) -> dict[str, object]:
        """Return the times, the number of threads and the device."""
        return {
            "seconds": round(self.seconds, 1),
            "processor_seconds": round(self.processor_seconds, 1),
            "threads": torch.get_num_threads(),
            "device": self.device.reason,
        }

    def table(self) -> list[str]:
        """Return the finding's table as lines of text."""
        return [" | ".join(line) for line in (self.finding.columns, *self.finding.lines)]


def laboratory(paths: IndexPaths, size: str, data: Path | None, seed: int, device: DeviceChoice) -> Lab:
    """Return a `Lab` that prints its progress and is never stopped."""
    return Lab(paths, size, device, data, seed, PrintedProgress(), lambda: False)


def timed_experiment(
    name: str, *, size: str, data: Path | None, seed: int, device: str = "auto", paths: IndexPaths | None = None
) -> TimedFinding:
    """Run an experiment on `data` (or on the corpus at `paths`) and return its finding with the time it took."""
    choice = pick_device(device)
    with tempfile.TemporaryDirectory() as folder:
        lab = laboratory(paths or IndexPaths(Path(folder)), size, data, seed, choice)
        began, processor_began = time.monotonic(), time.process_time()
        finding = run_experiment(name, lab)
        return TimedFinding(finding, time.monotonic() - began, time.process_time() - processor_began, choice)
