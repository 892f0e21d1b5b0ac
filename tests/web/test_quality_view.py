"""Texts, tables and curve of the Quality panel, from sound figures and from damaged ones."""

import json
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import pytest

from imgsearch.web import quality_view
from tests.support.evaluation import CUTOFF, DISTORTED, LABELLED


class Table(HTMLParser):
    """The cells of a table as a browser would find them, and which are bold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.strong: list[str] = []
        self.tags: set[str] = set()
        self._in_strong = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.lines.append([])
        elif tag in ("td", "th"):
            self.lines[-1].append("")
        self._in_strong = tag == "strong"

    def handle_data(self, data: str) -> None:
        self.lines[-1][-1] += data
        if self._in_strong:
            self.strong.append(data)
            self._in_strong = False


def test_the_table_by_labels_has_a_line_for_each_method_and_marks_the_best() -> None:
    table = Table(quality_view.labelled_table(LABELLED))
    assert table.lines[0] == ["nearest by", "P@1", "P@10", "P@100", "mAP@1000", "20-NN vote"]
    assert table.lines[1] == ["raw pixels", "0.350", "0.276", "0.220", "0.200", "0.330"]
    assert [line[0] for line in table.lines[1:]] == ["raw pixels", "code", "binary code, 256 bits"]
    assert 'title="raw pixels, L2"' in quality_view.labelled_table(LABELLED)
    assert table.strong == ["0.580", "0.504", "0.410", "0.360", "0.650"]


def test_the_table_of_distorted_queries_counts_in_hundred_and_ends_with_the_mean() -> None:
    table = Table(quality_view.distorted_table(DISTORTED))
    assert table.lines == [
        ["nearest by", "crop", "mirror", "mean"],
        ["raw pixels", "12 20", "40 50", "26 35"],
        ["code", "87 95", "99 100", "93 98"],
    ]
    assert table.strong == ["87", "99", "93"]


def test_the_sentences_say_what_the_figures_mean() -> None:
    assert quality_view.distorted_sentence(DISTORTED) == (
        "For a cropped copy of an image as the query, the original comes first 87 times in 100 by code, "
        "and 12 times by pixels."
    )
    assert quality_view.labelled_sentence(LABELLED) == (
        "Among the ten nearest by code, 5.0 have the query's label on average; among the ten nearest by pixels, 2.8."
    )
    assert quality_view.cutoff_sentence(CUTOFF) == (
        "Of 100 queries whose label no indexed image has, 88 rightly get no good match; "
        "of 100 queries whose label is present, 71 get one."
    )
    assert quality_view.cutoff_sentence({"methods": {"code": {"match": 0.7}}}) == quality_view.cutoff_sentence({}) == ""
    without_crop = DISTORTED | {"distortions": ["mirror"]}
    assert "a mirrored copy" in quality_view.distorted_sentence(without_crop)
    assert "99 times" in quality_view.distorted_sentence(without_crop)


def test_the_footnotes_say_how_it_was_measured() -> None:
    note = quality_view.labelled_footnote(LABELLED)
    assert "5,000 queries over 45,000 images" in note
    assert "31 have a near-duplicate" in note
    assert "left out" not in note
    assert "over 45,000 images drawn from 60,000" in quality_view.labelled_footnote(LABELLED | {"n_labelled": 60_000})
    assert "7 more" in quality_view.labelled_footnote(LABELLED | {"n_twins": 7})
    assert "1,000 images were distorted and searched for among 45,000" in quality_view.distorted_footnote(DISTORTED)


def test_the_curve_has_a_line_for_each_method_on_a_logarithmic_axis() -> None:
    labelled = deepcopy(LABELLED)
    labelled["curve"]["n"][0] = 0  # has no logarithm
    chart = quality_view.curve(labelled)
    assert chart["encoding"]["x"]["scale"]["type"] == "log"
    points = [(value["method"], value["n"], value["share"]) for value in chart["data"]["values"]]
    assert len(points) == 3 * 3
    assert ("code", 10, 0.5) in points
    assert min(n for _, n, _ in points) == 10
    json.dumps(chart)


def damaged(part: dict[str, Any], *path: str, value: object) -> dict[str, Any]:
    changed = deepcopy(part)
    where = changed
    for name in path[:-1]:
        where = where[name]
    where[path[-1]] = value
    return changed


@pytest.mark.parametrize("value", [None, "many", [], {}, float("nan")])
def test_a_figure_that_is_missing_is_a_dash(value: object) -> None:
    by_label = Table(quality_view.labelled_table(damaged(LABELLED, "methods", "code", "p@10", value=value)))
    assert by_label.lines[2][2] == quality_view.DASH
    assert by_label.strong[-1] == "0.490"  # the best of the others
    distorted = damaged(DISTORTED, "recall", "code", "crop", value=value)
    assert Table(quality_view.distorted_table(distorted)).lines[2][1] == f"{quality_view.DASH} {quality_view.DASH}"
    assert quality_view.distorted_sentence(distorted) == ""
    assert quality_view.labelled_sentence(damaged(LABELLED, "methods", "code", value=value)) == ""
    assert (
        len(quality_view.curve(damaged(LABELLED, "curve", "share", "code", value=[value] * 4))["data"]["values"]) == 8
    )


def test_nothing_in_the_figures_becomes_an_element() -> None:
    strange = "<script>alert(1)</script>"
    methods = {strange: LABELLED["methods"]["code"] | {"title": strange}}
    table = Table(quality_view.labelled_table(LABELLED | {"methods": methods}))
    assert table.lines[1][0] == strange
    distorted = {"distortions": [strange], "recall": {strange: {strange: {"top1": 0.5}}}, "mean": {}}
    also = Table(quality_view.distorted_table(distorted))
    assert (also.lines[0][1], also.lines[1][0]) == (strange, strange)
    assert table.tags | also.tags <= {"div", "table", "thead", "tbody", "tr", "th", "td", "strong", "small"}
