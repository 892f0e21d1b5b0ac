"""The command `search`: by image or by words."""

from pathlib import Path
from typing import Annotated

import typer

from imgsearch.cli.grammar import UsageError, examples
from imgsearch.cli.hits import say_hits
from imgsearch.cli.options import (
    ROW_PREFIX,
    AllowPrivateOption,
    DeviceOption,
    IndexOption,
    JsonOption,
    choice,
    count,
    row_number,
)
from imgsearch.cli.output import note, say, say_json
from imgsearch.paths import IndexPaths, index_paths, replacing
from imgsearch.retrieval.search.methods import ALL, BOTH, SEARCH_BY


@examples(
    "imgsearch search photograph.jpg",
    "imgsearch search row:12 -k 5 --json",
    "imgsearch search photograph.jpg --by binary",
    "imgsearch search https://example.org/cat.jpg --by all --save hits.png",
    'imgsearch search --text "red flower" -k 5',
)
def search(
    query: Annotated[
        str | None,
        typer.Argument(metavar="IMAGE|URL|row:N", help="An image file, its address, or a row of the corpus."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="WORDS",
            help="Search by the alt texts and labels of the images instead: by codes of the text autoencoder, beside "
            "latent semantic analysis and plain TF-IDF (after imgsearch train --text).",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", parser=count, metavar="N", help="Number of hits.")] = 10,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            parser=choice(*SEARCH_BY),
            metavar="|".join(SEARCH_BY),
            help="Which neighbours to show: by code and pixels (both), by one of code, pixel and binary, or by all. "
            "Binary is the code as 256 bits; its distance is the number of differing bits.",
        ),
    ] = BOTH,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="PNG", help="Draw the query and its hits into a picture.")
    ] = None,
    allow_private: AllowPrivateOption = False,
    index: IndexOption = None,
    json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Show the images nearest to an image, or to words."""
    if (query is None) == (text is None):
        raise UsageError("name either an image (IMAGE, URL or row:N) or words (--text WORDS)")
    paths = index_paths(index)
    if text is not None:
        _search_words(paths, text, k, save=save, json=json, device=device)
    elif query is not None:
        _search_image(paths, query, k, by=by, save=save, json=json, device=device, allow_private=allow_private)


def _search_image(
    paths: IndexPaths, query: str, k: int, *, by: str, save: Path | None, json: bool, device: str, allow_private: bool
) -> None:
    from imgsearch.retrieval.search.searcher import Searcher

    image = _query(query, allow_private=allow_private)
    with Searcher.open(paths, device=device) as searcher:
        result = searcher.search(image, k=k, by=by, name=query)
        if save:
            from imgsearch.retrieval.search.contact_sheet import draw_contact_sheet

            _save(save, draw_contact_sheet(searcher, image, result))
    if json:
        say_json(result.to_json())
        return
    say_hits(result)
    if result.no_good_match:
        say("no good match: even the nearest image is far, compared with distances in this corpus")
    if by in (BOTH, ALL):
        say(f"code and pixels both found {result.overlap} of {result.k}")


def _query(text: str, *, allow_private: bool) -> bytes | Path | int:
    """Return the query for `row:N`, an address (fetched with the crawler's protections), or a file."""
    if text.startswith(ROW_PREFIX):
        return row_number(text)
    if text.startswith(("http://", "https://")):
        from crawler.fetching.fetch import fetch_image

        return fetch_image(text, allow_private=allow_private)
    return Path(text)


def _save(path: Path, picture: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(picture)
    note(f"drawn into {path}")


def _search_words(paths: IndexPaths, words: str, k: int, *, save: Path | None, json: bool, device: str) -> None:
    from imgsearch.retrieval.text.text_search import TextSearcher

    with TextSearcher.open(paths, device=device) as searcher:
        result = searcher.search(words, k=k)
        if save:
            from imgsearch.retrieval.search.contact_sheet import draw_text_contact_sheet

            _save(save, draw_text_contact_sheet(searcher, result))
    if json:
        say_json(result.to_json())
    else:
        say_hits(result)
        if result.words is not None and result.words.note:
            say(result.words.note)
