"""Table of the crawler's throughput for docs/results.md."""

import statistics
from typing import Any

from benchmarks.machine import machine_of, read_result

PROGRAMS = ("imgsearch", "imgsearch_without_previews", "img2dataset")


def render_all() -> dict[str, str]:
    """Return the blocks of docs/results.md by name."""
    return {"crawl": render_crawl(read_result("crawl_throughput"), read_result("long_crawl"))}


def render_crawl(throughput: dict[str, Any], long: dict[str, Any]) -> str:
    """Return the crawler's throughput beside img2dataset's, and memory and speed at the end of a long crawl."""
    lines = [
        f"| images kept per second (processor time per image) | with previews | thumbnails only | "
        f"img2dataset {throughput['img2dataset']} |",
        "|---|---|---|---|",
    ]
    for key, what in (("small", "JPEGs of 32×32"), ("large", "JPEGs of 1000×800")):
        runs, cells = throughput[key], []
        for program in PROGRAMS:
            rate = statistics.median(run["images_per_second"] for run in runs[program])
            used = statistics.median(run["cpu_seconds_per_image"] for run in runs[program]) * 1000
            cells.append(f"{rate:,.0f} ({used:.1f} ms), {runs['ratios'][program]:.2f}×")
        lines.append(f"| {runs['images']:,} {what} | {' | '.join(cells)} |")
    first, last = long["lines"][0], long["lines"][-1]
    lines += [
        "",
        f"Medians of {throughput['repetitions']} rounds; one server on loopback, no delays on either side; "
        f"{machine_of(throughput)}. After a crawl of {long['urls']:,} URLs the process takes "
        f"{last['resident_mb']:.0f} MB of memory ({first['resident_mb']:.0f} MB after {first['urls']:,}); claiming a "
        f"URL takes {last['claim_ms']:.3f} ms and settling it {last['settle_ms']:.3f} ms (one run, the last tenth).",
    ]
    return "\n".join(lines)
