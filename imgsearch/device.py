"""Which device computes and in which precision, with the sentence that says why. Knows nothing of networks or files."""

from dataclasses import dataclass

import torch

from imgsearch.errors import DeviceError


@dataclass(frozen=True)
class DeviceChoice:
    """A device, the precision that pays there, and why."""

    device: torch.device
    dtype: torch.dtype  # what autocast computes in; float32 means no autocast
    reason: str  # a sentence to print once

    def autocast(self) -> torch.autocast:
        """Return the context in which networks compute: in `dtype`, or as they are where it is float32."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def pick_device(wanted: str = "auto") -> DeviceChoice:
    """Choose where to compute: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    `auto` takes the first CUDA GPU, else Apple's GPU, else the CPU.

    Raises:
        DeviceError: the device asked for does not exist here, or is no device at all.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return _cuda(torch.device("cuda", 0), "it is there")
        if torch.backends.mps.is_available():
            return DeviceChoice(torch.device("mps"), torch.float32, "Computing on Apple's GPU in float32.")
        return _cpu("no GPU is there")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise DeviceError(f"{wanted!r} is no device. Use auto, cpu, cuda, cuda:1 or mps.") from error
    if device.type == "cpu":
        return _cpu("it was asked for")
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise DeviceError(f"{wanted!r} was asked for but PyTorch sees no CUDA GPU here. Use --device cpu.")
        if (device.index or 0) >= torch.cuda.device_count():
            there = torch.cuda.device_count()
            raise DeviceError(f"{wanted!r} was asked for but there are {there} GPUs, counted from cuda:0.")
        return _cuda(torch.device("cuda", device.index or 0), "it was asked for")
    if device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("'mps' was asked for but there is no Apple GPU here. Use --device cpu.")
        return DeviceChoice(
            torch.device("mps"), torch.float32, "Computing on Apple's GPU in float32: it was asked for."
        )
    raise DeviceError(f"{wanted!r} is not supported. Use auto, cpu, cuda, cuda:1 or mps.")


def _cuda(device: torch.device, why: str) -> DeviceChoice:
    name = torch.cuda.get_device_name(device)
    # From compute capability 8.0 on bfloat16 is hardware; older GPUs only emulate it.
    if torch.cuda.get_device_capability(device) >= (8, 0):
        return DeviceChoice(device, torch.bfloat16, f"Computing on {name} ({device}) in bfloat16: {why}.")
    return DeviceChoice(device, torch.float32, f"Computing on {name} ({device}) in float32: {why}; it has no bfloat16.")


def _cpu(why: str) -> DeviceChoice:
    threads = torch.get_num_threads()
    cores = f"{threads} core{'s' if threads != 1 else ''}"
    capabilities = torch.cpu.get_capabilities()
    if capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"):
        return DeviceChoice(torch.device("cpu"), torch.bfloat16, f"Computing on {cores} in bfloat16: {why}.")
    reason = f"Computing on {cores} in float32: {why}, and this processor has no bfloat16 units."
    return DeviceChoice(torch.device("cpu"), torch.float32, reason)
