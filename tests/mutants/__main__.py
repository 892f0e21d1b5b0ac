"""`python -m tests.mutants`: try every mutant of the table, or those whose names contain one of the given words."""

import argparse
import sys
import time

from tests.conftest import REPOSITORY
from tests.mutants.runner import MutantError, Verdict, run_mutants
from tests.mutants.table import MUTANTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only the mutants whose name or file contains one of these words")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="mutants tried at a time (default: %(default)s)")
    arguments = parser.parse_args()
    words = arguments.words or [""]
    mutants = [mutant for mutant in MUTANTS if any(word in f"{mutant.name} {mutant.file}" for word in words)]
    start = time.monotonic()
    try:
        verdicts = run_mutants(REPOSITORY, mutants, jobs=arguments.jobs, report=_print_verdict)
    except MutantError as error:
        print(error, file=sys.stderr)
        return 2
    survivors = [verdict.mutant for verdict in verdicts if not verdict.caught_by]
    minutes = (time.monotonic() - start) / 60
    print(f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants were caught in {minutes:.1f} minutes")
    return 1 if survivors else 0


def _print_verdict(verdict: Verdict) -> None:
    where = f"caught by {verdict.caught_by}" if verdict.caught_by else f"SURVIVED {' '.join(verdict.mutant.tests)}"
    print(f"{verdict.mutant.name}\t{where}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
