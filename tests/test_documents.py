"""The documentation is true: figures, commands, help examples, folders, links, make targets, changelog."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import tables
from benchmarks.lecture.ideas import IDEAS
from benchmarks.machine import RESULTS
from imgsearch import __version__
from imgsearch.cli.grammar import examples_of
from tests.conftest import REPOSITORY
from tests.support.cli import commands, help_of, parse

sys.path.insert(0, str(REPOSITORY / "docs"))
import render  # a script beside the pages that it writes

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), REPOSITORY / "index" / "README.md"])
README_BYTES = 9_000
NOT_IN_GIT = {".venv", "dist", "htmlcov"}


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_examples_that_parse(command: str) -> None:
    assert commands()[command].help
    assert examples_of(command)
    for example in examples_of(command):
        words = shlex.split(example)
        assert words[:2] == ["imgsearch", command]
        parse(words[1:])
        assert example in help_of(command)
    for parameter in commands()[command].params:
        assert getattr(parameter, "help", ""), f"{command} {parameter.name} has no help"


def command_lines(text: str) -> list[str]:
    """Return every line of the text's shell blocks, and every inline code, that is a complete `imgsearch` command."""
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("imgsearch ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_command_line_of_a_page_parses(page: Path) -> None:
    for line in command_lines(page.read_text(encoding="utf-8")):
        parse(shlex.split(line)[1:])


def test_the_readme_shows_the_way_in_five_commands() -> None:
    assert len(command_lines(README)) == 5


def test_the_python_of_the_readme_runs(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photographs").symlink_to(photographs)
    with Image.open(next(photographs.rglob("*.png"))) as photograph:
        photograph.save(tmp_path / "photograph.jpg")
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(program, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [str(rank) for rank in range(1, 11)]


def test_the_commands_page_is_the_help() -> None:
    page = render.COMMANDS.read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)$", page, flags=re.MULTILINE) == list(commands())
    assert page == render.render_commands(), "run: python docs/render.py"


def test_the_tree_of_packages_is_the_tree() -> None:
    assert render.ARCHITECTURE.read_text(encoding="utf-8") == render.render_architecture(), "run: python docs/render.py"


def test_the_readme_names_every_folder() -> None:
    tree = README[README.index("```text") :]
    named = set(re.findall(r"^(\w+)/ ", tree, flags=re.MULTILINE))
    there = {path.parent.name for path in REPOSITORY.glob("[a-z]*/*.*") if path.parent.name not in NOT_IN_GIT}
    assert named == {name for name in there if not name.endswith(".egg-info")}


def test_the_readme_stays_short() -> None:
    assert len(README.encode()) <= README_BYTES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_each_make_target_of_a_page_exists(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_make_bench_runs_every_script_that_writes_a_result() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    scripts = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for path in (REPOSITORY / "benchmarks").rglob("*.py")
        if "write_result(" in path.read_text(encoding="utf-8") and path.stem != "machine"
    }
    assert len(scripts) == len(list(RESULTS.glob("*.json")))
    for script in scripts:
        assert f"python -m {script}" in makefile, script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_between_files_lead_somewhere(page: Path) -> None:
    for target, fragment in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if fragment:
            assert fragment in anchors(file), f"{page.name} links to {target}#{fragment}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", tables.PAGES)
def test_the_figures_of_every_page_come_from_the_results(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert tables.filled(text, tables.PAGES[page]()) == text, "run: python -m benchmarks.tables"


def test_every_module_in_the_map_of_the_lecture_exists() -> None:
    modules = [module for _, _, modules, _ in IDEAS for module in modules]
    assert modules
    for module in modules:
        assert (REPOSITORY / "imgsearch" / module).is_file(), module


def test_the_changelog_knows_this_version() -> None:
    assert f"## {__version__}" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
