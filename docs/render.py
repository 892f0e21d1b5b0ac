"""Render docs/commands.md from the help texts, and the tree in docs/architecture.md from the packages' docstrings.

Run: python docs/render.py. tests/test_documents.py checks that both pages are what this script renders.
"""

import ast
import contextlib
import io
import os
from pathlib import Path
from unittest import mock

from imgsearch.cli.grammar import command_line
from imgsearch.cli.main import run

DOCS = Path(__file__).resolve().parent
COMMANDS, ARCHITECTURE = DOCS / "commands.md", DOCS / "architecture.md"
TREE_BEGIN, TREE_END = "<!-- tree -->", "<!-- /tree -->"
COLUMNS = 100  # of the help texts
INTRODUCTION = """\
# Commands

Rendered from `imgsearch COMMAND --help` by `docs/render.py`.

Every command takes `--index DIR`; without it the index directory is `$IMGSEARCH_INDEX`, or `index/` in the current
folder. With `--json` standard output is one JSON document; progress always goes to standard error. Exit codes:
0 success, 1 a failure with one line on standard error, 2 wrong usage, 130 interrupted.
"""


def help_of(*line: str) -> str:
    """Return what a command line with `--help` prints, as wide as `COLUMNS`.

    Raises:
        RuntimeError: it failed.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), mock.patch.dict(os.environ, {"COLUMNS": str(COLUMNS)}):
        code = run([*line, "--help"])
    if code:
        raise RuntimeError(f"imgsearch {' '.join(line)} --help ended with {code}")
    return "\n".join(text.rstrip() for text in printed.getvalue().strip("\n").splitlines())


def render_commands() -> str:
    """Return commands.md: an introduction, the list of commands, and the help of each."""
    sections = [INTRODUCTION, f"```text\n{help_of()}\n```\n"]
    sections += [f"## {name}\n\n```text\n{help_of(name)}\n```\n" for name in command_line().commands]
    return "\n".join(sections)


def render_architecture() -> str:
    """Return architecture.md with its tree of packages made anew."""
    before, begin, rest = ARCHITECTURE.read_text(encoding="utf-8").partition(TREE_BEGIN)
    _, end, after = rest.partition(TREE_END)
    lines = [line for package in ("crawler", "imgsearch") for line in _tree(DOCS.parent / package, "")]
    return "\n".join([before + begin, "```text", *lines, "```", end + after])


def _tree(package: Path, indent: str) -> list[str]:
    """Return one line for a package, with the first sentence of its docstring, and those of its sub-packages."""
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    if not docstring:
        raise ValueError(f"{package} has no docstring")
    lines = [f"{indent + package.name + '/':<20}{docstring.splitlines()[0].split('. ')[0].rstrip('.')}"]
    for folder in sorted(path.parent for path in package.glob("*/__init__.py")):
        lines += _tree(folder, indent + "  ")
    return lines


if __name__ == "__main__":
    COMMANDS.write_text(render_commands(), encoding="utf-8")
    ARCHITECTURE.write_text(render_architecture(), encoding="utf-8")
