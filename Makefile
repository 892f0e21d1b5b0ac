# make demo   the whole loop on drawn pictures, ending in the running page (PORT=8599 for another port)
# make test   every test, the browser's included
# make lint   ruff and mypy
# make bench  the figures that the README prints (needs ../shared/data)
# make fuzz   damages images of every format at random for ten minutes (MINUTES=N for another time)
# make pictures ROW=12   the README's pictures, after make demo: a good query chosen by hand

PYTHON ?= python3
PORT ?= 8501
MINUTES ?= 10
BIN = .venv/bin

.PHONY: demo test lint bench fuzz pictures browser

demo: .venv/installed
	$(BIN)/imgsearch demo --port $(PORT)

# One thread for each of the two workers: threads that wait for each other are slower than none.
test: export OMP_NUM_THREADS = 1
test: .venv/installed-for-tests browser
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-for-tests
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/development.py
	$(BIN)/python benchmarks/unseen.py
	$(BIN)/python benchmarks/reconstruction.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/lecture_digits.py
	$(BIN)/python benchmarks/lecture_text.py
	$(BIN)/python benchmarks/lecture_pretraining.py --data ../shared/data/mnist.npz
	$(BIN)/python benchmarks/long_crawl.py
	$(BIN)/python benchmarks/tables.py

fuzz: .venv/installed-for-tests
	$(BIN)/python -m tests.fuzz_images $(MINUTES)

pictures: .venv/installed-for-tests browser
	IMGSEARCH_SCREENSHOT=docs/app.png IMGSEARCH_TEST_INDEX=index IMGSEARCH_TEST_ROW=$(ROW) \
		$(BIN)/python -m pytest tests/web/test_browser.py -k screenshot
	$(BIN)/imgsearch search row:$(ROW) -k 10 --index index --save docs/hits.png
	$(BIN)/imgsearch lab map --index index
	IMGSEARCH_EXPLORE_SCREENSHOT=docs/explore.png IMGSEARCH_TEST_INDEX=index IMGSEARCH_TEST_ROW=$(ROW) \
		$(BIN)/python -m pytest tests/web/test_browser_explore.py -k screenshot

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "imgsearch needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "On Debian and Ubuntu first: apt-get install python3-venv"; exit 1; }

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-for-tests: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ .venv/installed

# The browser tests need Chromium and its driver; without them they skip and say so.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -q && apt-get install -q -y chromium chromium-driver; \
	else echo "No Chromium here, so the browser tests will skip. To run them: apt-get install chromium chromium-driver"; fi
