"""Commands as a user types them, for the tests of what they answer."""

from pathlib import Path

import pytest

from imgsearch.cli.main import run


def answer(capsys: pytest.CaptureFixture[str], *line: str | Path) -> str:
    """Carry out a command that must succeed and return what it printed."""
    capsys.readouterr()
    assert run([str(word) for word in line]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def complaint(capsys: pytest.CaptureFixture[str], *line: str | Path) -> str:
    """Carry out a command that must fail with code 1 and one line, and return that line."""
    capsys.readouterr()
    assert run([str(word) for word in line]) == 1
    printed = capsys.readouterr()
    complaints = [text for text in printed.err.splitlines() if text.startswith("imgsearch: ")]
    assert len(complaints) == 1, printed.err
    assert "Traceback" not in printed.err
    return complaints[0]
