"""The grammar of the command line: every command with its options, its help and a pasteable example.

Knows what may be typed, not what it does. Imports nothing heavy, so that `--help` is quick.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from imgsearch import __version__
from imgsearch.cli.parser_models import add_finetune, add_lab, add_train
from imgsearch.cli.parser_options import command, count, depth, device, port, positive, previews, seconds
from imgsearch.retrieval.search.methods import BOTH, SEARCH_BY

DEFAULT_PORT = 8501
DEFAULT_QUERIES = 5000
CONTACT_VARIABLE = "IMGSEARCH_CONTACT"


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options and a pasteable example."""
    parser = argparse.ArgumentParser(
        prog="imgsearch",
        description="Search your own images by what they show: nearest by code beside nearest by raw pixels.",
        epilog="Start with `imgsearch demo`, or with your own: imgsearch add PHOTOS; imgsearch train; "
        "imgsearch reindex; imgsearch app",
    )
    parser.add_argument("--version", action="version", version=f"imgsearch {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (
        _demo,
        _crawl,
        _add,
        add_train,
        add_finetune,
        _reindex,
        _search,
        _evaluate,
        _status,
        _why,
        _remove,
        _compact,
    ):
        add(commands)
    add_lab(commands)
    _app(commands)
    return parser


def _demo(commands: Any) -> None:
    parser = command(
        commands,
        "demo",
        "the whole loop on a gallery of drawn pictures, offline: crawl, train, reindex, evaluate, app",
        "imgsearch demo",
        "imgsearch demo --port 8599",
        "imgsearch demo --no-app --index try",
    )
    parser.add_argument("--no-app", action="store_true", help="stop before the app is started")
    parser.add_argument("--port", type=port, default=DEFAULT_PORT, metavar="N", help="the app's port (default: 8501)")
    parser.add_argument(
        "--dataset",
        choices=("gallery", "cifar10"),
        default="gallery",
        help="the drawn gallery, or CIFAR-10 downloaded by torchvision (needs internet)",
    )
    parser.add_argument("--minutes", type=positive, default=None, metavar="M", help="how long to train")
    device(parser)


def _crawl(commands: Any) -> None:
    parser = command(
        commands,
        "crawl",
        "collect the images of web pages, politely; the same command goes on where it was",
        "imgsearch crawl https://example.org/gallery --max-images 500",
        "imgsearch crawl example.org --depth 2 --delay 1 --follow-hosts --contact https://example.com/me",
        "imgsearch crawl --urls pictures.csv",
        "imgsearch crawl --retry-failed",
        "imgsearch crawl --refresh --report report.html",
    )
    parser.add_argument("urls", nargs="*", metavar="URL", help="pages to start from, or images")
    parser.add_argument(
        "--urls",
        dest="lists",
        action="append",
        type=Path,
        metavar="FILE",
        help="a list of images: .txt with one URL a line, .csv or .parquet with columns url and caption",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--refresh",
        action="store_true",
        help="ask again for the images that were kept (from URL, or all): are they still there, and the same?",
    )
    again.add_argument(
        "--retry-failed", action="store_true", help="fetch only what failed before (from URL, or all of it)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="HTML", help="draw what became of all URLs into one page, when the crawl ended"
    )
    parser.add_argument(
        "--max-images", type=count, metavar="N", help="stop after N images are kept (default: no limit)"
    )
    parser.add_argument("--max-pages", type=count, metavar="N", help="read at most N pages (default: no limit)")
    parser.add_argument("--depth", type=depth, default=5, metavar="N", help="links to follow from a start (default: 5)")
    parser.add_argument(
        "--delay",
        type=seconds,
        default=0.5,
        metavar="S",
        help="seconds between requests to one host, more where it answers slowly (default: 0.5; 0: no pause)",
    )
    parser.add_argument("--no-sitemaps", action="store_true", help="do not ask for the sitemaps of the URLs' hosts")
    parser.add_argument("--follow-hosts", action="store_true", help="also visit other hosts than those of the URLs")
    parser.add_argument("--allow-private", action="store_true", help="allow addresses of this machine and its network")
    parser.add_argument(
        "--contact",
        default=os.environ.get(CONTACT_VARIABLE, ""),
        metavar="URL",
        help="who you are, told to every site in the User-Agent (default: $IMGSEARCH_CONTACT)",
    )
    parser.add_argument(
        "--labels-from-folders", action="store_true", help="label each image by the last folder of its URL"
    )
    previews(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _add(commands: Any) -> None:
    parser = command(
        commands,
        "add",
        "take in the images of folders, zip archives and files",
        "imgsearch add ~/Pictures",
        "imgsearch add animals.zip --labels-from-folders",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="folders, zip archives or image files")
    parser.add_argument("--labels-from-folders", action="store_true", help="label each image by the folder it lies in")
    previews(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _reindex(commands: Any) -> None:
    parser = command(
        commands,
        "reindex",
        "encode what has no code of the current model, and build the index anew beside the old one",
        "imgsearch reindex",
        "imgsearch reindex --full",
    )
    parser.add_argument("--full", action="store_true", help="encode every image again")
    device(parser)


def _search(commands: Any) -> None:
    parser = command(
        commands,
        "search",
        "show the nearest images by code and by pixels, by binary code, or by words",
        "imgsearch search photograph.jpg",
        "imgsearch search row:12 -k 5 --json",
        "imgsearch search photograph.jpg --by binary",
        "imgsearch search https://example.org/cat.jpg --by all --save hits.png",
        'imgsearch search --text "red flower" -k 5',
    )
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument(
        "query", nargs="?", metavar="IMAGE|URL|row:N", help="an image file, its address, or a row of the corpus"
    )
    asked.add_argument(
        "--text",
        metavar="WORDS",
        help="search by what is written of the images instead: by the codes of the text autoencoder, beside latent "
        "semantic analysis and plain TF-IDF (after imgsearch train --text)",
    )
    parser.add_argument("-k", type=count, default=10, metavar="N", help="how many hits (default: 10)")
    parser.add_argument(
        "--by",
        choices=tuple(SEARCH_BY),
        default=BOTH,
        help="which neighbours: by code and pixels (both, the default), by one of code, pixel and binary, or by all; "
        "binary is the code as 256 bits, and its distance the number of bits that differ",
    )
    parser.add_argument("--save", type=Path, metavar="PNG", help="draw the query and its hits into a picture")
    parser.add_argument("--allow-private", action="store_true", help="allow a URL on this machine or its network")
    parser.add_argument("--json", action="store_true", help="print the hits as JSON")
    device(parser)


def _evaluate(commands: Any) -> None:
    parser = command(
        commands,
        "evaluate",
        "measure how well the index finds: code and binary code beside pixels, HOG and the untrained network",
        "imgsearch evaluate",
        "imgsearch evaluate --queries held-out.zip --json",
        "imgsearch evaluate --plot curve.png",
    )
    parser.add_argument(
        "--queries",
        type=Path,
        metavar="PATH",
        help="a folder or zip of images in folders named by label (default: each row asks, left out of its own answer)",
    )
    parser.add_argument(
        "--max-queries",
        type=count,
        default=DEFAULT_QUERIES,
        metavar="N",
        help="ask with N of them at most, drawn at random (default: 5000)",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="PNG",
        help="draw the share of same-label images among the N nearest, one curve per method",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    device(parser)


def _status(commands: Any) -> None:
    parser = command(
        commands,
        "status",
        "tell what is there, how fresh, and by which model",
        "imgsearch status",
        "imgsearch status --json --index try",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _why(commands: Any) -> None:
    parser = command(
        commands,
        "why",
        "tell everything that is known of a URL: where it was found, what became of it, and why",
        "imgsearch why https://example.org/cat.jpg",
        "imgsearch why https://example.org/cat.jpg --json",
    )
    parser.add_argument("url", metavar="URL", help="the address of an image or a page")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _remove(commands: Any) -> None:
    parser = command(
        commands,
        "remove",
        "take images out of every answer, at once; whole hosts are not fetched again either",
        "imgsearch remove row:12 row:13",
        "imgsearch remove https://example.org/cat.jpg",
        "imgsearch remove --forget https://example.org/cat.jpg",
        "imgsearch remove --host example.org --url-prefix https://example.net/gallery/",
        "imgsearch remove --undo --host example.org",
    )
    parser.add_argument(
        "images", nargs="*", metavar="row:N|URL", help="rows, or addresses that images were found under"
    )
    parser.add_argument(
        "--host",
        action="append",
        metavar="HOST",
        help="all images of a host, whose addresses are never fetched again (*.example.org: and of all below it)",
    )
    parser.add_argument(
        "--url-prefix",
        action="append",
        metavar="URL",
        help="all images whose address begins like this; such addresses are never fetched again",
    )
    parser.add_argument(
        "--forget",
        action="store_true",
        help="also never fetch the addresses of row:N or URL again (with --host and --url-prefix it is always so)",
    )
    parser.add_argument(
        "--undo", action="store_true", help="bring back what the same line without --undo removed, and fetch it again"
    )


def _compact(commands: Any) -> None:
    command(
        commands,
        "compact",
        "erase what is stored of removed images: pictures, texts and codes; they cannot come back",
        "imgsearch compact",
        "imgsearch compact --index try",
    )


def _app(commands: Any) -> None:
    parser = command(
        commands,
        "app",
        "open the search page in the browser",
        "imgsearch app",
        "imgsearch app --port 8599",
    )
    parser.add_argument("--port", type=port, default=DEFAULT_PORT, metavar="N", help="the page's port (default: 8501)")
