"""The table of mutants fits the code; the runner tells a caught mutant from a survivor, on a product of one line."""

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.mutants.runner import Mutant, MutantError, run_mutants
from tests.mutants.table import MUTANTS

WORSE_SIGN = Mutant("minus for plus", "imgsearch/sums.py", "a + b", "a - b", ("test_sums.py",))
SAME_SUM = Mutant("the other way round", "imgsearch/sums.py", "a + b", "b + a", ("test_sums.py",))


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A repository with one function and its test."""
    for file, text in {
        "imgsearch/__init__.py": "",
        "imgsearch/sums.py": "def add(a, b):\n    return a + b\n",
        "tests/__init__.py": "",
        "tests/test_sums.py": "from imgsearch.sums import add\n\ndef test_sum():\n    assert add(2, 1) == 3\n",
    }.items():
        path = tmp_path / "product" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "product"


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_caught_mutant_and_a_survivor(product: Path, jobs: int) -> None:
    before = (product / WORSE_SIGN.file).read_bytes()
    verdicts = run_mutants(product, [WORSE_SIGN, SAME_SUM], jobs=jobs)
    assert [verdict.caught_by for verdict in verdicts] == ["test_sums.py::test_sum", ""]
    assert (product / WORSE_SIGN.file).read_bytes() == before


def test_a_mutant_that_no_longer_fits_the_code_is_refused(product: Path) -> None:
    for old in ("a * b", "a"):
        with pytest.raises(MutantError, match=r"occurs [03] times in imgsearch/sums.py, not once"):
            run_mutants(product, [Mutant("stale", "imgsearch/sums.py", old, "", ("test_sums.py",))])


@pytest.mark.slow
def test_a_mutant_that_does_not_compile_is_not_caught_but_refused(product: Path) -> None:
    with pytest.raises(MutantError, match="could not run"):
        run_mutants(product, [Mutant("no Python", "imgsearch/sums.py", "a + b", "a +", ("test_sums.py",))])


@pytest.mark.slow
def test_tests_that_fail_without_a_mutant_are_refused(product: Path) -> None:
    (product / "tests" / "test_sums.py").write_text("def test_sum():\n    assert False\n")
    with pytest.raises(MutantError, match=r"test_sums.py::test_sum fails without any mutant"):
        run_mutants(product, [WORSE_SIGN])


# ---------------------------------------------------------------------------------------------------------------------
# The table


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_fits_the_code(mutant: Mutant) -> None:
    assert mutant.mutated(REPOSITORY) != (REPOSITORY / mutant.file).read_text(encoding="utf-8")
    files = [test.partition("::")[0] for test in mutant.tests]
    assert [file for file in files if not (REPOSITORY / "tests" / file).is_file()] == []


def test_each_mutant_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
