"""Choice of the compute device and its precision, with the reason for it."""

from dataclasses import dataclass

import torch

from imgsearch.errors import DeviceError, Hint


@dataclass(frozen=True)
class DeviceChoice:
    """A device, the precision that is fastest there, and the reason."""

    device: torch.device
    dtype: torch.dtype  # for autocast; float32 means no autocast
    reason: str  # a sentence to print once

    def autocast(self) -> torch.autocast:
        """Return the context in which networks compute: in `dtype`, or as they are where it is float32."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def pick_device(wanted: str = "auto") -> DeviceChoice:
    """Choose where to compute: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    `auto` takes the first CUDA GPU, else Apple's GPU, else the CPU.

    Raises:
        DeviceError: the device does not exist here, or the name is not one of a device.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return _cuda(torch.device("cuda", 0), "a GPU is available")
        if torch.backends.mps.is_available():
            return DeviceChoice(torch.device("mps"), torch.float32, "Computing on Apple's GPU in float32.")
        return _cpu("no GPU is available")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise DeviceError(f"{wanted!r} is not a device; devices are auto, cpu, cuda, cuda:1 and mps.") from error
    if device.type == "cpu":
        return _cpu("as requested")
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise DeviceError(f"{wanted!r} was requested, but PyTorch finds no CUDA GPU.", hint=Hint.USE_CPU)
        if (device.index or 0) >= torch.cuda.device_count():
            n_gpus = torch.cuda.device_count()
            raise DeviceError(f"{wanted!r} was requested, but there are {n_gpus} GPUs, counted from cuda:0.")
        return _cuda(torch.device("cuda", device.index or 0), "as requested")
    if device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("'mps' was requested, but there is no Apple GPU.", hint=Hint.USE_CPU)
        return DeviceChoice(torch.device("mps"), torch.float32, "Computing on Apple's GPU in float32: as requested.")
    raise DeviceError(f"{wanted!r} is not supported; devices are auto, cpu, cuda, cuda:1 and mps.")


def _cuda(device: torch.device, why: str) -> DeviceChoice:
    name = torch.cuda.get_device_name(device)
    # GPUs from compute capability 8.0 have bfloat16 in hardware; older ones emulate it.
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
