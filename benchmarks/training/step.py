"""Where the time of training goes on this processor, and what each means of saving it is worth. Side by side.

One step is a batch of pairs of views through the default network, as `train` makes it. Variants take turns, so that
other work on the machine meets all alike; medians of the turns. Writes results/training.json.
Run: python benchmarks/training.py [--rounds 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from machine import write_result
from torch.profiler import ProfilerActivity, profile

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.autoencoder.objectives.unsupervised import Batch, objective
from imgsearch.autoencoder.optim.optimisers import make_optimisers
from imgsearch.device import DeviceChoice, pick_device

BATCH = 512
STEPS = 4  # of a turn
WARM_UP = 2
SHOWN = 12  # operations of the profile

Step = Callable[[], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    best = pick_device()
    plain = replace(best, dtype=torch.float32)
    threads = torch.get_num_threads()
    variants: dict[str, tuple[Step, int]] = {
        "as it is": (make_step(best), threads),
        "float32": (make_step(plain), threads),
        "weights not channels-last": (make_step(best, channels_last=False), threads),
        "torch.compile": (make_step(best, compiled=True), threads),
        "one thread": (make_step(best), 1),
    }
    rates: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, (step, n_threads) in variants.items():
            with threads_of(n_threads):
                rates[name].append(rate_of(step))
            print(f"{name}: {rates[name][-1]:,.0f} images/s", flush=True)
    medians = {name: statistics.median(each) for name, each in rates.items()}
    figures = {
        "batch": BATCH,
        "rounds": rounds,
        "torch_threads": threads,
        "device": best.reason,
        "images_per_second": rates,
        "share_of_as_it_is": {name: median / medians["as it is"] for name, median in medians.items()},
        "profile": profiled(variants["as it is"][0]),
    }
    print(write_result("training", figures))


def make_step(device: DeviceChoice, *, channels_last: bool = True, compiled: bool = False) -> Step:
    """One step of the first stage, on random images."""
    config = TrainConfig(batch_size=BATCH)
    torch.manual_seed(0)
    network = build_network(describe_network(config.network))
    if not channels_last:
        network.to(memory_format=torch.contiguous_format)
    optimisers = make_optimisers(network, config, device, 1.0)
    if compiled:
        network.encode = torch.compile(network.encode)  # type: ignore[method-assign] # what a user of it would do
        network.decode = torch.compile(network.decode)  # type: ignore[method-assign] # likewise
    images = torch.rand(BATCH, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    generator = torch.Generator()

    def step() -> None:
        with torch.autocast("cpu", device.dtype, enabled=device.dtype != torch.float32):
            loss = objective(network, Batch(images, generator), config)["loss"]
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        for optimiser in optimisers:
            optimiser.step()

    return step


def rate_of(step: Step) -> float:
    """Images per second."""
    for _ in range(WARM_UP):
        step()
    began = time.perf_counter()
    for _ in range(STEPS):
        step()
    return BATCH * STEPS / (time.perf_counter() - began)


@contextmanager
def threads_of(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def profiled(step: Step) -> dict[str, float]:
    """The operations that take most of a step's time, and their shares of it."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(STEPS):
            step()
    averages = profiler.key_averages()
    total = sum(each.self_cpu_time_total for each in averages)
    largest = sorted(averages, key=lambda each: -each.self_cpu_time_total)[:SHOWN]
    return {each.key: round(each.self_cpu_time_total / total, 4) for each in largest}


if __name__ == "__main__":
    main()
