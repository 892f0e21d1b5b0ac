"""Raw results as JSON files, each with the machine, the versions, the date and the commit of the measurement."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
MACHINE = "machine"  # the key under which the description stands beside the figures


def describe() -> dict[str, object]:
    """Return hardware, versions, date and commit of this run."""
    packages = ("torch", "torchvision", "faiss-gpu", "numpy", "pillow")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }


def write_result(name: str, figures: dict[str, Any]) -> Path:
    """Write `figures` and the description of this machine to `results/<name>.json`."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({MACHINE: describe(), **figures}, indent=2) + "\n", encoding="utf-8")
    return path


def read_result(name: str) -> dict[str, Any]:
    """Return the contents of `results/<name>.json`."""
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def earlier_figures(name: str) -> dict[str, Any]:
    """Return the figures measured so far without the machine, or nothing if the file does not exist yet."""
    if not (RESULTS / f"{name}.json").exists():
        return {}
    return {key: figures for key, figures in read_result(name).items() if key != MACHINE}


def machine_of(result: dict[str, Any]) -> str:
    """Return cores, processor, torch version and date of a result as one phrase."""
    machine = result[MACHINE]
    return f"{machine['cores']} cores of an {machine['cpu']}, torch {machine['versions']['torch']}, {machine['date']}"


def _commit() -> str:
    """Return the commit, followed by `+` if tracked files differ from it."""
    try:
        head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _cpu_model() -> str:
    """Return the processor's name and its vector instructions, which affect speed more than the name suggests."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    by_name = {key.strip(): value.strip() for key, value in fields.items()}
    flags = by_name.get("flags", "").split()
    vectors = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return f"{by_name.get('model name', platform.machine())} ({', '.join(vectors) or 'no AVX'})"
