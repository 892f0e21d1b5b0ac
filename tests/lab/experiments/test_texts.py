"""Texts at the small size: with few numbers, the autoencoder finds more of the same group than LSA."""

from collections.abc import Iterator

import numpy as np
import pytest

from imgsearch.device import pick_device
from imgsearch.lab.experiments.texts import same_group_shares
from imgsearch.lab.finding import Finding, Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent
from tests.support.text_index import add_described

N_GROUPS, PER_GROUP = 20, 45
WORDS_EACH = 8  # words of a group, of which a text has three


def texts() -> Iterator[tuple[str, str]]:
    """Texts of twenty groups with words of their own: more groups than ten directions can separate.

    Each text also has one of ten common words. Without these no two groups share a word, and what ten directions leave
    of the other ten groups is rounding error, which cosine distance would compare.
    """
    random = np.random.default_rng(0)
    letters = "bcdfghjklmnpqrtvwxyz"
    for group in range(N_GROUPS):
        words = [f"{letters[group]}o{letters[number]}e" for number in range(WORDS_EACH)]
        for _ in range(PER_GROUP):
            own, common = random.choice(words, 3, replace=False), f"{letters[random.integers(10)]}a"
            yield f"{' '.join(own)} {common}", f"group{letters[group]}"


@pytest.fixture(scope="module")
def finding(tmp_path_factory: pytest.TempPathFactory) -> Finding:
    paths = IndexPaths(tmp_path_factory.mktemp("lab") / "index")
    alts, labels = zip(*texts(), strict=True)
    add_described(paths, alts, labels)
    lab = Lab(paths, "small", pick_device("cpu"), None, 0, silent, lambda: False)
    return run_experiment("text", lab)


@pytest.mark.slow
def test_ten_numbers_of_the_autoencoder_beat_ten_of_lsa(finding: Finding) -> None:
    shares = finding.figures["share_of_same_group"]
    at = finding.figures["n"].index(7)
    assert shares["AE-10"][at] > shares["LSA-10"][at] + 0.03  # 1.00 and .73
    assert shares["AE-2"][at] > shares["LSA-2"][at]
    assert shares["AE-128"][at] > 2 / N_GROUPS
    assert shares["TF-IDF"][0] > shares["LSA-10"][0]


@pytest.mark.slow
def test_the_finding_describes_data_and_measure(finding: Finding) -> None:
    assert "540 texts to train on, 360 to test with" in finding.data
    assert "a query among the other test texts" in finding.data
    assert finding.picture.startswith(b"\x89PNG")
    assert {line[0] for line in finding.lines} == set(finding.figures["share_of_same_group"])
    assert all(len(line) == len(finding.columns) for line in finding.lines)


def test_shares_are_counted_among_the_other_texts() -> None:
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 0.3]], np.float32)
    groups = np.array([0, 0, 1, 1, 1])
    assert same_group_shares(vectors, groups, (1,)) == pytest.approx((4 / 5,))  # the last one's nearest is of group 0
    assert same_group_shares(vectors, groups, (4,)) == pytest.approx(((2 * 1 / 4 + 3 * 2 / 4) / 5,))
