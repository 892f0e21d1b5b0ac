"""Run commands as a user types them and check their output."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from imgsearch.cli.grammar import command_line
from imgsearch.cli.main import run


def answer(capsys: pytest.CaptureFixture[str], *line: str | Path) -> str:
    """Run a command that must succeed and return its standard output."""
    capsys.readouterr()
    assert run([str(word) for word in line]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def complaint(capsys: pytest.CaptureFixture[str], *line: str | Path) -> str:
    """Run a command that must fail with code 1 and one line of message; return that line."""
    capsys.readouterr()
    assert run([str(word) for word in line]) == 1
    printed = capsys.readouterr()
    complaints = [text for text in printed.err.splitlines() if text.startswith("imgsearch: ")]
    assert len(complaints) == 1, printed.err
    assert "Traceback" not in printed.err
    return complaints[0]


def misuse(capsys: pytest.CaptureFixture[str], *line: str | Path) -> str:
    """Carry out a command line that must be refused as wrong usage, and return what it printed on standard error."""
    capsys.readouterr()
    assert run([str(word) for word in line]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return printed.err


def commands() -> dict[str, Any]:
    """Every command by name, as typer declares it (its classes are private: Any)."""
    return dict(command_line().commands)


def parse(line: Sequence[str]) -> None:
    """Parse one command line, as typed after `imgsearch`, without running it; raises what typer raises."""
    name, *words = line
    commands()[name].make_context(name, words)


def help_of(command: str) -> str:
    """The help of a command, 120 columns wide."""
    context = commands()[command].make_context(command, [], resilient_parsing=True, terminal_width=120)
    return str(context.get_help())
