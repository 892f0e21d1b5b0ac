"""The command line as one typer application: how a command is registered, parsed and run.

Every command module declares its function with `examples`; `main` adds the functions to `app` in the order of the help.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import typer
from typer.core import TyperGroup

PROGRAM = "imgsearch"

app = typer.Typer(
    name=PROGRAM,
    help="Search your own images by what they show: nearest by code beside nearest by raw pixels.",
    epilog="Start with `imgsearch demo`, or with your images: imgsearch add PHOTOS; imgsearch reindex; imgsearch app",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich is slow to import, and the generated documentation is plain text
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

Body = TypeVar("Body", bound=Callable[..., None])
_EXAMPLES: dict[str, tuple[str, ...]] = {}
_NAMES: dict[str, Mapping[str, str]] = {}


class UsageError(Exception):
    """The command line itself is wrong (exit code 2): options contradict each other, or something is missing."""


def examples(*lines: str, names: Mapping[str, str] | None = None) -> Callable[[Body], Body]:
    """Decorate the function of a command with texts that end its help.

    Args:
        lines: complete command lines.
        names: values of the command's argument, each with a one-line explanation.
    """

    def attach(body: Body) -> Body:
        _EXAMPLES[body.__name__] = lines
        _NAMES[body.__name__] = names or {}
        return body

    return attach


def add_command(body: Callable[..., None]) -> None:
    """Add a function decorated with `examples` to the application, under its own name."""
    lines, names = _EXAMPLES[body.__name__], _NAMES[body.__name__]
    width = max(map(len, names), default=0)
    blocks = [["Names:", *(f"  {name:<{width}}  {text}" for name, text in names.items())]] if names else []
    blocks.append(["Examples:", *(f"  {line}" for line in lines)])
    epilog = "\n\n".join("\n".join(["\b", *block]) for block in blocks)  # \b: typer keeps the line ends
    app.command(name=body.__name__, epilog=epilog)(body)


def examples_of(command: str) -> tuple[str, ...]:
    """Return the example lines of a command."""
    return _EXAMPLES[command]


def command_line() -> TyperGroup:
    """Return the application with its commands, for running and for introspection (`command_line().commands`)."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def carry_out(line: Sequence[str]) -> None:
    """Run one command line, as typed after `imgsearch`; raises what the command raises."""
    with command_line().make_context(PROGRAM, list(line)) as context:
        context.command.invoke(context)
