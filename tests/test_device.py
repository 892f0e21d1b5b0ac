"""Choice of the device: which precision, which reason, and which devices are refused."""

import pytest
import torch

from imgsearch.device import pick_device
from imgsearch.errors import DeviceError


def test_cpu_says_how_many_cores_and_which_precision() -> None:
    choice = pick_device("cpu")
    assert choice.device == torch.device("cpu")
    assert str(torch.get_num_threads()) in choice.reason
    assert ("bfloat16:" in choice.reason) == (choice.dtype == torch.bfloat16)


def test_auto_without_a_gpu_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    choice = pick_device()
    assert choice.device.type == "cpu"
    assert "no GPU is available" in choice.reason


@pytest.mark.parametrize(("capability", "dtype"), [((9, 0), torch.bfloat16), ((7, 5), torch.float32)])
def test_a_gpu_computes_in_bfloat16_only_where_that_is_hardware(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Toy GPU {device.index}")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    choice = pick_device("cuda:1")
    assert (choice.device, choice.dtype) == (torch.device("cuda", 1), dtype)
    assert "Toy GPU 1" in choice.reason
    with pytest.raises(DeviceError, match="2 GPUs"):
        pick_device("cuda:2")


@pytest.mark.parametrize("amx", [True, False])
def test_a_cpu_computes_in_bfloat16_only_where_it_has_the_units(monkeypatch: pytest.MonkeyPatch, amx: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx, "avx512_bf16": False})
    assert pick_device("cpu").dtype == (torch.bfloat16 if amx else torch.float32)


@pytest.mark.parametrize("wanted", ["cuda", "cuda:3", "mps", "toaster", "meta", "cpu0"])
def test_a_device_that_is_not_available_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=f"'{wanted}'"):
        pick_device(wanted)
