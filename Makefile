# make demo     crawl, train, index and measure the drawn gallery, then open the page (PORT=8599 for another port)
# make check    formatting, lint, types and the fast tests
# make test     all tests, the browser's included (COVERAGE=1: measure coverage and fail below the floor)
# make lint     formatting, lint and types
# make docs     render figures, help texts and the tree of packages into the documentation
# make bench    repeat every measurement of the documentation (needs ../shared/data; takes hours)
# make fuzz     decode randomly damaged images of every format for ten minutes (MINUTES=N for another time)
# make mutants  break the product in a hundred ways and report which test notices each (takes half an hour)
# make pictures ROW=12   draw the documentation's pictures after make demo, with a row chosen by hand as the query

PYTHON ?= python3
PORT ?= 8501
MINUTES ?= 10
BIN = .venv/bin

.PHONY: demo check test lint docs bench fuzz mutants pictures browser

demo: .venv/installed
	$(BIN)/imgsearch demo --port $(PORT)

# One thread per worker: several would compete for the cores.
check test: export OMP_NUM_THREADS = 1
check: lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow and not browser"

test: .venv/installed-for-tests browser
	$(BIN)/python -m pytest -n 2 --dist loadfile $(if $(COVERAGE),--cov --cov-report=term)

lint: .venv/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every script whose figures the documentation prints. One needs a package in a separate environment:
# make bench IMG2DATASET=path/to/venv/bin/img2dataset
bench: .venv/installed-for-tests
	$(BIN)/python -m benchmarks.retrieval.speed
	$(BIN)/python -m benchmarks.retrieval.development
	$(BIN)/python -m benchmarks.retrieval.unseen
	$(BIN)/python -m benchmarks.crawl.long_crawl
	@if [ -n "$(IMG2DATASET)" ]; then $(BIN)/python -m benchmarks.crawl.throughput $(IMG2DATASET); \
	else echo "Skipping the comparison with img2dataset: install it elsewhere and name it by IMG2DATASET."; fi
	$(BIN)/python -m benchmarks.training.step
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.training.reconstruction --minutes 3
	for seed in 0 1 2; do $(BIN)/python -m benchmarks.training.finetune --labels 1000 --seed $$seed || exit 1; done
	$(BIN)/python -m benchmarks.training.finetune --labels 45000
	$(BIN)/python -m benchmarks.lecture.digits
	$(BIN)/python -m benchmarks.lecture.pretraining
	$(BIN)/python -m benchmarks.lecture.unpool --of-each-class 500
	$(BIN)/python -m benchmarks.lecture.text
	$(BIN)/python -m benchmarks.lecture.ladder --minutes 7.5
	$(BIN)/python -m benchmarks.lecture.ladder --minutes 21
	$(BIN)/python -m benchmarks.tables

docs: .venv/installed-for-tests
	$(BIN)/python -m benchmarks.tables
	$(BIN)/python docs/render.py

fuzz: .venv/installed-for-tests
	$(BIN)/python -m tests.fuzz_images $(MINUTES)

mutants: .venv/installed-for-tests
	$(BIN)/python -m tests.mutants --jobs 2

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

# The browser tests need Chromium and its driver; without them they are skipped and say so.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then \
		echo "Installing for the browser tests, by apt-get: chromium chromium-driver"; \
		apt-get update -q && apt-get install -q -y chromium chromium-driver; \
	else echo "No Chromium, so the browser tests will be skipped. To run them: apt-get install chromium chromium-driver"; fi
