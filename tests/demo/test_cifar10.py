"""CIFAR-10 for the demo: one labelled archive, and a clear error without internet."""

import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torchvision.datasets

from imgsearch.corpus.decoding.images import decode_image
from imgsearch.demo.cifar10 import cifar10_archive
from imgsearch.errors import DemoError, Hint


class TwoImages:
    """A fake of torchvision's dataset with two images."""

    data = np.stack([np.full((32, 32, 3), 10, np.uint8), np.full((32, 32, 3), 200, np.uint8)])
    targets = (1, 0)
    classes = ("airplane", "automobile")

    def __init__(self, root: str, *, train: bool, download: bool) -> None:
        assert train
        assert download


def no_internet(root: str, *, train: bool, download: bool) -> None:
    raise URLError("name not known")


def test_the_archive_holds_each_image_in_the_folder_of_its_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", TwoImages)
    archive = cifar10_archive(tmp_path)
    with zipfile.ZipFile(archive) as members:
        assert members.namelist() == ["automobile/00000.png", "airplane/00001.png"]
        assert np.array_equal(decode_image(members.read("airplane/00001.png")).thumbnail, TwoImages.data[1])


def test_a_second_call_downloads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", TwoImages)
    first = cifar10_archive(tmp_path)
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", no_internet)
    assert cifar10_archive(tmp_path) == first


def test_without_internet_it_fails_with_a_hint_and_leaves_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", no_internet)
    with pytest.raises(DemoError, match=r"could not be downloaded.*name not known") as raised:
        cifar10_archive(tmp_path)
    assert raised.value.hint is Hint.DEMO_GALLERY
    assert not list(tmp_path.glob("*.zip"))
