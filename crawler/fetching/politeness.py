"""The pause between two requests to a host: the slower it answers, the longer. Pure: numbers in and out.

Times are seconds from a request to the head of its answer, as in Scrapy's AutoThrottle: a large picture is no sign of a
slow host. Factor and maximum are those of Heritrix. Crawl-delay and the pause after failures are added in `outcomes`.
"""

FACTOR = 5.0  # the pause is this many answer times, so that a crawl takes at most a sixth of a host's time
MOST_SECONDS = 30.0  # slowness alone makes no longer pause
WEIGHT = 0.5  # of the last answer time in the mean


def mean_answer_seconds(before: float, last: float, *, failed: bool) -> float:
    """Return the running mean of a host's answer times.

    Args:
        before: the mean so far, 0 where there is none.
        last: the last answer time; for a failure the time until it failed.
        failed: a failure may raise the mean, never lower it: errors are often answered at once.
    """
    last = min(max(last, 0.0), MOST_SECONDS / FACTOR)  # one that took a minute is forgotten after a few answers
    mean = before + WEIGHT * (last - before) if before else last
    return max(mean, before) if failed else mean


def gap_seconds(least: float, answer_seconds: float) -> float:
    """Return the pause after an answer: `FACTOR` times the mean answer time, at least `least`."""
    return max(least, min(FACTOR * answer_seconds, MOST_SECONDS))
