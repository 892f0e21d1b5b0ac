"""Fixtures that every test file may use."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from imgsearch.cli.main import run
from imgsearch.corpus.decoding.pool import Decoders, WorkerLimits
from imgsearch.corpus.store import Corpus
from imgsearch.demo.site import GallerySite
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent
from tests.support.crawl import Crawler
from tests.support.loopback_site import Site, serving

if TYPE_CHECKING:
    from imgsearch.lab.finding import Lab

REPOSITORY = Path(__file__).resolve().parent.parent
COLOURS = {"red": (220, 40, 30), "green": (40, 190, 60), "blue": (40, 60, 210)}
IMAGES_PER_LABEL = 12
PER_KIND = 12  # images of each kind in `gallery`


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images to measure on; tests that use it are skipped where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository: this test measures on real images")
    return folder


@pytest.fixture(autouse=True)
def _no_index_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own index from tests."""
    monkeypatch.delenv("IMGSEARCH_INDEX", raising=False)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 36 noisy pictures, 80x60, in folders named by their colour: red, green, blue."""
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(5)
    for label, colour in COLOURS.items():
        (folder / label).mkdir()
        for number in range(IMAGES_PER_LABEL):
            noise = random.integers(-30, 31, size=(60, 80, 3))
            pixels = np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="session")
def trained_index(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index directory over `photographs` with a model of one epoch. Shared: use `index` to change it."""
    root = tmp_path_factory.mktemp("trained") / "index"
    for command in (
        ["add", str(photographs), "--labels-from-folders"],
        ["train", "--epochs", "1", "--device", "cpu", "--keep", "new"],
        ["reindex"],
    ):
        assert run([*command, "--index", str(root)]) == 0
    return root


@pytest.fixture
def index(trained_index: Path, tmp_path: Path) -> Path:
    """A copy of `trained_index` that the test may change."""
    return Path(shutil.copytree(trained_index, tmp_path / "index"))


@pytest.fixture
def lab(tmp_path: Path) -> "Lab":
    """The context of an experiment at its small size."""
    from imgsearch.device import pick_device  # torch is slow to import
    from imgsearch.lab.finding import Lab

    return Lab(IndexPaths(tmp_path), "small", pick_device("cpu"), None, 0, silent, lambda: False)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index directory with a part of the demo gallery, labelled and with alt texts, and nothing else."""
    root = tmp_path_factory.mktemp("gallery") / "index"
    with GallerySite(images_per_kind=PER_KIND) as site:
        line = ["crawl", site.url, "--allow-private", "--delay", "0", "--labels-from-folders", "--no-previews"]
        assert run([*line, "--index", str(root)]) == 0
    return root


@pytest.fixture
def clean(gallery: Path, tmp_path: Path) -> IndexPaths:
    """A copy of `gallery` that the test may change."""
    return IndexPaths(Path(shutil.copytree(gallery, tmp_path / "gallery")))


@pytest.fixture
def site() -> Iterator[Site]:
    """A web site on loopback, empty to begin with."""
    with serving() as site:
        yield site


@pytest.fixture
def crawler(tmp_path: Path) -> Crawler:
    """A crawler with an empty frontier."""
    return Crawler(tmp_path)


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Corpus]:
    """An empty corpus, open for writing."""
    with Corpus.open_for_writing(IndexPaths(tmp_path / "index")) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def pool() -> Iterator[Decoders]:
    """One worker whose images may take two seconds of the processor."""
    pool = Decoders(1, limits=WorkerLimits(cpu_seconds=2))
    yield pool
    pool.close()
