"""Taking images out of the index directory: `remove`, with its takedowns, and `compact`.

Here corpus, codes and the crawler's memory are kept in step. A takedown is remembered in the corpus and in the memory
of the crawler: whichever of them is deleted, the other still refuses.
"""

from argparse import Namespace
from collections.abc import Iterable, Sequence

from crawler.frontier.frontier import Frontier
from crawler.takedown import URL, Takedown
from imgsearch.cli.output import say
from imgsearch.corpus.erasing import erase_removed
from imgsearch.corpus.store import Corpus
from imgsearch.corpus.takedowns import covered_rows, lift_takedown, remembered_takedowns, take_down
from imgsearch.errors import UnknownRowError
from imgsearch.paths import IndexPaths, directory_errors, index_paths

ROW_PREFIX = "row:"


def remove(arguments: Namespace) -> None:
    """Take images out of every answer, or bring them back; refuse their addresses from now on, or no longer."""
    takedowns = [Takedown.of_host(text) for text in arguments.host or ()]
    takedowns += [Takedown.of_prefix(text) for text in arguments.url_prefix or ()]
    if not (takedowns or arguments.images):
        raise UnknownRowError("nothing is named: write row:N, an address, --host HOST or --url-prefix URL")
    paths = index_paths(arguments.index)
    Corpus.open(paths).close()  # opening for writing would make a corpus where there is none
    with Corpus.open_for_writing(paths) as corpus:
        rows = [row for image in arguments.images for row in _rows(corpus, image)]
        if arguments.forget:
            takedowns += _of_addresses(corpus, rows)
        if arguments.undo:
            _undo(paths, corpus, rows, takedowns)
        else:
            _remove(paths, corpus, rows, takedowns)


def _remove(paths: IndexPaths, corpus: Corpus, rows: Sequence[int], takedowns: Sequence[Takedown]) -> None:
    changed = corpus.remove(rows)
    if rows:
        all_before = "" if changed else ": all were removed before"
        say(f"removed {changed:,} of {len(set(rows)):,} images{all_before}")
    for takedown in takedowns:
        covered = covered_rows(corpus, takedown.covers, takedown.host)
        n_removed = take_down(corpus, takedown.kind, takedown.value, covered)
        say(f"{takedown.kind} {takedown.value}: removed {n_removed:,} images; it will not be fetched again")
    if takedowns and paths.crawl_database.exists():
        with Frontier.open(paths.crawl_database) as frontier:
            frontier.take_down(takedowns)


def _undo(paths: IndexPaths, corpus: Corpus, rows: Sequence[int], takedowns: Sequence[Takedown]) -> None:
    if takedowns and paths.crawl_database.exists():
        with Frontier.open(paths.crawl_database) as frontier:
            for takedown in takedowns:
                frontier.lift(takedown)
    for takedown in takedowns:
        n_restored = lift_takedown(corpus, takedown.kind, takedown.value)
        if takedown.kind != URL:
            what = "was not taken down" if n_restored is None else f"brought back {n_restored:,} images"
            say(f"{takedown.kind} {takedown.value}: {what}; it may be fetched")
    changed = corpus.restore(rows)
    if rows:
        all_before = "" if changed else ": all were brought back before"
        say(f"brought back {changed:,} of {len(set(rows)):,} images{all_before}")


def _of_addresses(corpus: Corpus, rows: Iterable[int]) -> list[Takedown]:
    urls = {source.url for row in rows for source in corpus.sources(row)}
    return [Takedown.of_url(url) for url in sorted(urls) if url.startswith(("http://", "https://"))]


def corpus_takedowns(corpus: Corpus) -> tuple[Takedown, ...]:
    """What the corpus remembers, for a crawl."""
    return tuple(Takedown(kind, value) for kind, value in remembered_takedowns(corpus))


def _rows(corpus: Corpus, image: str) -> Sequence[int]:
    if image.startswith(ROW_PREFIX):
        return [corpus.entry(row_number(image)).row]
    rows = corpus.rows_of_url(image)
    if not rows:
        raise UnknownRowError(f"no image was found under {image}. `imgsearch search` prints rows and addresses.")
    return rows


def row_number(text: str) -> int:
    """The number in `row:N`. UnknownRowError where it is none."""
    number = text.removeprefix(ROW_PREFIX)
    if not number.isascii() or not number.isdigit():
        raise UnknownRowError(f"{text!r} names no row: write {ROW_PREFIX}N with a whole number, as search prints it")
    return int(number)


def compact(arguments: Namespace) -> None:
    """Erase what is stored of removed images."""
    from imgsearch.retrieval.erasing import erase_codes
    from imgsearch.retrieval.explore.image_map import erase_places

    paths = index_paths(arguments.index)
    Corpus.open(paths).close()
    with Corpus.open_for_writing(paths) as corpus:
        removed = [int(row) for row in corpus.removed_rows()]
        if paths.crawl_database.exists():
            # First, while the corpus still knows the addresses of what it is about to erase.
            urls = {source.url for row in removed for source in corpus.sources(row) if source.url}
            with Frontier.open(paths.crawl_database) as frontier:
                frontier.forget_texts(urls)
        n_erased = erase_removed(corpus, paths)
        erase_codes(paths, removed)
        erase_places(paths, removed)
        if n_erased:
            _forget_pictures(paths)
    say(f"erased {n_erased:,} images" + (f" ({len(removed):,} by now)" if len(removed) != n_erased else ""))


def _forget_pictures(paths: IndexPaths) -> None:
    """Delete what experiments drew, for their pictures may show what was erased; their figures stay."""
    with directory_errors(paths.lab):
        for picture in (*paths.lab.glob("*.png"), *paths.lab.glob("*.html")):
            picture.unlink(missing_ok=True)
