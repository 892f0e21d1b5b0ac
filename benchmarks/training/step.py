"""Time of a training step on the processor: variants that were tried to speed it up, and a profile of its operations.

One step is a batch of pairs of views through the default network, as in `train`. The variants alternate, so that other
load on the machine affects all of them; medians over the rounds. Writes results/training.json.
Run: python -m benchmarks.training.step [--rounds 3]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.machine import write_result
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.autoencoder.objectives.base import Batch
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.autoencoder.optim.optimisers import make_optimisers
from imgsearch.device import DeviceChoice, pick_device

BATCH = 512
STEPS = 4  # per round
WARM_UP = 2
SHOWN = 12  # operations listed in the profile

Step = Callable[[], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    print(write_result("training", run(parser.parse_args().rounds)))


def run(rounds: int) -> dict[str, Any]:
    """Return images per second of each variant and round, and the profile of the default."""
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
    return {
        "batch": BATCH,
        "rounds": rounds,
        "torch_threads": threads,
        "device": best.reason,
        "images_per_second": rates,
        "share_of_as_it_is": {name: median / medians["as it is"] for name, median in medians.items()},
        "profile": profiled(variants["as it is"][0]),
    }


def make_step(device: DeviceChoice, *, channels_last: bool = True, compiled: bool = False) -> Step:
    """Return a function that makes one step of the joint phase on random images."""
    config = TrainConfig(batch_size=BATCH)
    torch.manual_seed(0)
    network = build_network(describe_network(config.network))
    if not channels_last:
        network.to(memory_format=torch.contiguous_format)
    optimisers = make_optimisers(network, config, device)
    if compiled:
        network.encode = torch.compile(network.encode)  # type: ignore[method-assign] # as a caller would compile it
        network.decode = torch.compile(network.decode)  # type: ignore[method-assign] # likewise
    images = torch.rand(BATCH, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    generator, objective = torch.Generator(), Objective(config)
    network.train()

    def step() -> None:
        with device.autocast():
            loss = objective.training_loss(network, Batch(images, generator))["loss"]
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        for optimiser in optimisers:
            optimiser.step()

    return step


def rate_of(step: Step) -> float:
    """Return the images per second of a step, after a warm-up."""
    for _ in range(WARM_UP):
        step()
    began = time.perf_counter()
    for _ in range(STEPS):
        step()
    return BATCH * STEPS / (time.perf_counter() - began)


@contextmanager
def threads_of(n: int) -> Iterator[None]:
    """Set the number of torch's threads for a block."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def profiled(step: Step) -> dict[str, float]:
    """Return the operations that take most of a step's time, with their shares of it."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(STEPS):
            step()
    averages = profiler.key_averages()
    total = sum(each.self_cpu_time_total for each in averages)
    largest = sorted(averages, key=lambda each: -each.self_cpu_time_total)[:SHOWN]
    return {each.key: round(each.self_cpu_time_total / total, 4) for each in largest}


if __name__ == "__main__":
    main()
