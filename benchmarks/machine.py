"""What a result must say about where and when it was measured."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def describe() -> dict[str, object]:
    """Hardware, versions, date and commit of this run."""
    packages = ("torch", "torchvision", "faiss-gpu", "numpy", "pillow")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }


def write_result(name: str, figures: dict[str, object]) -> Path:
    """Keep `figures` beside the machine's description as `results/<name>.json`."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": describe(), **figures}, indent=2) + "\n", encoding="utf-8")
    return path


def _commit() -> str:
    """The commit, with `+` behind it where files differed from it."""
    try:
        head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _cpu_model() -> str:
    """The processor's name and the widest vector instructions that it has (they decide more than the name)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    by_name = {key.strip(): value.strip() for key, value in fields.items()}
    flags = by_name.get("flags", "").split()
    vectors = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return f"{by_name.get('model name', platform.machine())} ({', '.join(vectors) or 'no AVX'})"
