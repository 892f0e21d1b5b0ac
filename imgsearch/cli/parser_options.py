"""How a command and the options that several share are declared, and how a number is read. Imports nothing heavy."""

import argparse
from pathlib import Path
from typing import Any


def command(commands: Any, name: str, summary: str, *examples: str) -> argparse.ArgumentParser:
    """One command with the option that all share; `examples` end its help. (argparse's own type is private: Any.)"""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--index",
        metavar="DIR",
        type=Path,
        help="the index directory (default: $IMGSEARCH_INDEX, else index/)",
    )
    return parser


def device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps (default: auto)")


def previews(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-previews", action="store_true", help="keep the 32x32 thumbnails only")


def _number(text: str, kind: type[int] | type[float], least: float, most: float, what: str) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = -1
    if not least <= value <= most:  # also false for nan
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def count(text: str) -> int:
    return int(_number(text, int, 1, 2**53, "a whole number from 1"))


def depth(text: str) -> int:
    return int(_number(text, int, 0, 1000, "a whole number from 0 to 1000"))


def port(text: str) -> int:
    return int(_number(text, int, 1, 65535, "a port from 1 to 65535"))


def seconds(text: str) -> float:
    return _number(text, float, 0, 3600, "a number of seconds from 0 to 3600")


def share(text: str) -> float:
    return _number(text, float, 0, 1, "a number from 0 to 1")


def positive(text: str) -> float:
    return _number(text, float, 1e-3, 1e6, "a number of minutes above 0")
