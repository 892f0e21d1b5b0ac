"""Output of the commands: plain in a pipe, without control characters of untrusted texts."""

import json

import pytest

from imgsearch.cli.output import note, readable_bytes, readable_seconds, say, say_json, say_table, tracking

ORDERS = "red\x1b[31m\x9b2J\rand\x07 bell"


def test_control_characters_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    say(ORDERS)
    note(ORDERS)
    say_table(("row", "alt"), [("1", ORDERS + "\nsecond\tline")])
    printed = capsys.readouterr()
    assert all(character.isprintable() or character in "\n\t" for character in printed.out + printed.err)
    row, alt = printed.out.splitlines()[-1].split("\t")
    assert row == "1"
    assert alt.endswith("bell second line")


def test_json_is_ascii_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"alt": ORDERS, "größe": [1, 2.5, None]}
    say_json(value)
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == value


def test_in_a_pipe_progress_is_a_line_every_few_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgsearch.cli.output.PLAIN_EVERY_SECONDS", 0.0)
    with tracking("adding") as tracker:
        tracker(1200, 5000)
        tracker(0.5, 1, "halfway")
        tracker(0, None, "kept 3")
    assert capsys.readouterr().err.splitlines() == ["adding: 1,200 of 5,000", "adding: 50%  halfway", "adding: kept 3"]


def test_quick_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with tracking("adding") as tracker:
        tracker(1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1536, "1.5 kB"), (154_000_000, "154.0 MB")])
def test_readable_bytes(n_bytes: int, text: str) -> None:
    assert readable_bytes(n_bytes) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (95, "1 min 35 s"), (7260, "2 h 1 min")])
def test_readable_seconds(seconds: float, text: str) -> None:
    assert readable_seconds(seconds) == text
