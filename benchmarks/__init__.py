"""Scripts that measure every figure the documentation prints, their raw results, and the tables made from them.

Each script has `run(...) -> dict`, which measures, and `main()`, which parses options and writes the figures with a
description of the machine to `results/`. `tables.py` renders the results into README.md and docs/. `make bench` runs
all of them; one alone: `python -m benchmarks.retrieval.speed`, or `python benchmarks/retrieval/speed.py` in an
environment with an editable install. Most need the data sets in ../shared/data (see `protocol.py`).
"""
