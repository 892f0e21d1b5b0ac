"""Break the product on purpose, one mutant at a time, and report which test notices.

Each mutant is one exact replacement in one file. It is applied to a copy of the repository, never in place, and the
tests named with it run there until the first fails. A mutant that no test catches survives, and the run fails.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

COPIED = (".streamlit", "app.py", "crawler", "imgsearch", "tests", "pyproject.toml")
TESTS_FAILED = 1  # pytest's exit code; other codes mean that no test could run
MOST_SECONDS = 900  # of one run of tests
FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)  # a line of pytest's short summary


class MutantError(Exception):
    """A mutant could not be applied, or its tests could not run."""


@dataclass(frozen=True)
class Mutant:
    """One way to break the product."""

    name: str  # what is broken, in a few words
    file: str  # relative to the repository
    old: str  # occurs exactly once in the file
    new: str
    tests: tuple[str, ...]  # the test files (or single tests, as pytest names them) that should notice, below tests/

    def mutated(self, repository: Path) -> str:
        """The text of the file with the replacement. MutantError unless `old` occurs exactly once."""
        path = repository / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if (n := text.count(self.old)) != 1:
            raise MutantError(
                f"{self.name}: the text to replace occurs {n} times in {self.file}, not once. "
                f"Adapt its line in tests/mutants/table.py to the code as it is now:\n{self.old}"
            )
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Verdict:
    """Outcome of one mutant."""

    mutant: Mutant
    caught_by: str  # the first test that failed, "" where the mutant survived


def run_mutants(
    repository: Path, mutants: Sequence[Mutant], *, jobs: int = 1, report: Callable[[Verdict], None] = lambda _: None
) -> list[Verdict]:
    """Apply each mutant in turn and run its tests, `jobs` mutants at a time; one verdict each, in their order.

    Raises MutantError where a mutant does not fit the code, where its tests could not run, and where the tests fail
    without any mutant.
    """
    for mutant in mutants:
        mutant.mutated(repository)  # all are checked before the first is tried
    copies: SimpleQueue[Path] = SimpleQueue()

    def judge(mutant: Mutant) -> Verdict:
        copy = copies.get()
        try:
            with _applied(mutant, copy):
                verdict = Verdict(mutant, _first_failure(copy, mutant.tests))
        finally:
            copies.put(copy)
        report(verdict)
        return verdict

    with _copies(repository, jobs) as folders, ThreadPoolExecutor(jobs) as threads:
        files = sorted({file for mutant in mutants for file in mutant.tests})
        if failure := _first_failure(folders[0], files, seconds=None):
            raise MutantError(f"{failure} fails without any mutant")
        for folder in folders:
            copies.put(folder)
        return list(threads.map(judge, mutants))


@contextmanager
def _copies(repository: Path, n: int) -> Iterator[list[Path]]:
    """`n` copies of what the tests need, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as root:
        folders = [Path(root) / str(number) / repository.name for number in range(n)]
        for folder in folders:
            folder.mkdir(parents=True)
            for name in COPIED:
                path = repository / name
                if path.is_dir():
                    shutil.copytree(path, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
                elif path.exists():
                    shutil.copy2(path, folder / name)
        yield folders


@contextmanager
def _applied(mutant: Mutant, copy: Path) -> Iterator[None]:
    path = copy / mutant.file
    sound = path.read_bytes()
    path.write_text(mutant.mutated(copy), encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(sound)


def _first_failure(copy: Path, files: Sequence[str], *, seconds: float | None = MOST_SECONDS) -> str:
    """The first failing test of those files, "" where all pass."""
    names = [f"tests/{file}" for file in files]
    line = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", *names]
    # Without bytecode, because Python takes a file changed twice within a second for unchanged.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            line, cwd=copy, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise MutantError(f"{' '.join(names)} ran for more than {seconds:g} seconds") from expired
    if done.returncode == 0:
        return ""
    found = FAILURE.search(done.stdout)
    if done.returncode != TESTS_FAILED or found is None:
        raise MutantError(f"{' '.join(names)} could not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return found[1].removeprefix("tests/")
