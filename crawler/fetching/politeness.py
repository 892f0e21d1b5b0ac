"""How long a host is left in peace between two requests: the slower it answers, the longer. Pure: numbers in and out.

Times are seconds from a request to the head of its answer, as Scrapy's AutoThrottle takes them: a large picture is no
sign of a slow host. The factor and the most are those of Heritrix. Knows nothing of Crawl-delay or of failures that
are waited for anyhow (`outcomes`).
"""

FACTOR = 5.0  # the gap is so many answer times: at most a sixth of a host's time is ours
MOST_SECONDS = 30.0  # no gap grows longer by slowness alone
WEIGHT = 0.5  # of the last answer time in their mean


def mean_answer_seconds(before: float, last: float, *, failed: bool) -> float:
    """The running mean of a host's answer times.

    Args:
        before: the mean so far, 0 where there is none.
        last: the last answer time; of a failure the time until it failed.
        failed: a failure may make a host slower, never faster: errors are often answered at once.
    """
    last = min(max(last, 0.0), MOST_SECONDS / FACTOR)  # one that hung for a minute is forgotten after a few answers
    mean = before + WEIGHT * (last - before) if before else last
    return max(mean, before) if failed else mean


def gap_seconds(least: float, answer_seconds: float) -> float:
    """The pause after an answer: `FACTOR` times the mean answer time, at least `least`."""
    return max(least, min(FACTOR * answer_seconds, MOST_SECONDS))
