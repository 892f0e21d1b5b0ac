"""What is written must be so: README's tree, commands and figures, every help example, the changelog."""

import argparse
import re
import shlex
import sys
from pathlib import Path

import pytest

from imgsearch import __version__
from imgsearch.cli.parser import build_parser
from tests.conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import tables  # the benchmarks are scripts beside the package, not a package

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def subcommands() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    (choices,) = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(choices)


def examples(parser: argparse.ArgumentParser) -> list[str]:
    return [line.strip() for line in (parser.epilog or "").splitlines()[1:]]


@pytest.mark.parametrize("command", subcommands())
def test_every_command_has_help_with_examples_that_parse(command: str) -> None:
    parser = subcommands()[command]
    assert parser.description
    assert examples(parser)
    for example in examples(parser):
        words = shlex.split(example)
        assert words[:2] == ["imgsearch", command]
        assert build_parser().parse_args(words[1:]).command == command
    for action in parser._actions:
        assert action.help, f"{command} {action.dest} has no help"


@pytest.mark.parametrize("command", subcommands())
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert f"`imgsearch {command}" in README


def readme_commands() -> list[str]:
    """Every line of the README's shell blocks that starts with `imgsearch`."""
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("imgsearch ")]


def test_every_command_line_of_the_readme_parses() -> None:
    assert len(readme_commands()) >= 4
    for line in readme_commands():
        build_parser().parse_args(shlex.split(line)[1:])


def test_the_tree_in_the_readme_is_the_tree() -> None:
    tree = README[README.index("## The files") :]
    tree = tree[tree.index("```text") : tree.index("```\n", tree.index("```text"))]
    named = set(re.findall(r"[\w.]+\.py\b", tree))
    there = {
        path.name
        for folder in ("imgsearch", "crawler", "benchmarks")
        for path in (REPOSITORY / folder).rglob("*.py")
        if path.name != "__init__.py"
    } | {"app.py"}
    assert named == there


def test_each_make_target_of_the_readme_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize("page", sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")]))
def test_links_between_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_figures_in_the_readme_come_from_the_results() -> None:
    for name, table in tables.render_all().items():
        assert f"<!-- {name} -->\n{table}\n<!-- /{name} -->" in README, f"run: python benchmarks/tables.py ({name})"


def test_the_changelog_knows_this_version() -> None:
    assert f"## {__version__}" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
