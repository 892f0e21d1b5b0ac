"""The commands as typed: their output, and message and exit code of each mistake."""

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from imgsearch import __version__
from imgsearch.cli.main import run
from imgsearch.corpus.store import Corpus
from imgsearch.demo.gallery import KINDS, picture_bytes
from imgsearch.paths import index_paths
from tests.conftest import COLOURS, IMAGES_PER_LABEL, REPOSITORY
from tests.support.cli import answer, complaint, misuse
from tests.support.loopback_site import serving
from tests.support.small_disk import remount, small_file_system

N_IMAGES = len(COLOURS) * IMAGES_PER_LABEL


# ----------------------------------------------------------------------------------------------------------------------
# answers


def test_search_prints_the_promised_json(
    trained_index: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = photographs / "red" / "03.png"
    result = json.loads(answer(capsys, "search", query, "-k", "4", "--json", "--index", trained_index))
    assert set(result) >= {"query", "k", "model", "code", "pixel", "overlap"}
    assert result["query"] == str(query)
    assert result["k"] == 4
    for method in ("code", "pixel"):
        hits = result[method]
        assert len(hits) == 4
        assert set(hits[0]) >= {"row", "distance", "url", "page_url", "alt", "label"}
        assert hits[0]["url"] == query.as_uri()
        assert hits[0]["distance"] == pytest.approx(0, abs=1e-5)
        assert [hit["distance"] for hit in hits] == sorted(hit["distance"] for hit in hits)
    assert {hit["label"] for hit in result["pixel"]} == {"red"}
    rows = [{hit["row"] for hit in result[method]} for method in ("code", "pixel")]
    assert result["overlap"] == len(rows[0] & rows[1])


def test_search_by_row_leaves_the_row_out(trained_index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = json.loads(answer(capsys, "search", "row:7", "--by", "pixel", "--json", "--index", trained_index))
    assert 7 not in [hit["row"] for hit in result["pixel"]]
    assert result["code"] == []


def test_search_in_a_pipe_prints_one_line_per_hit(trained_index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = answer(capsys, "search", "row:0", "-k", "3", "--by", "code", "--index", trained_index).splitlines()
    assert lines[0].split("\t")[:4] == ["by", "rank", "row", "distance"]
    assert [line.split("\t")[:2] for line in lines[1:]] == [["code", "1"], ["code", "2"], ["code", "3"]]


def test_search_names_the_original_of_a_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index, folder = tmp_path / "index", tmp_path / "drawn"
    folder.mkdir()
    for number, kind in enumerate(KINDS):
        (folder / f"{number:02d}").write_bytes(picture_bytes(kind, 0)[0])
    with Image.open(folder / "05") as image:
        image.convert("RGB").save(tmp_path / "copy.jpg", quality=70)
    for command in (["add", folder], ["add", tmp_path / "copy.jpg"], ["reindex", "--device", "cpu"]):
        answer(capsys, *command, "--index", index)
    lines = answer(capsys, "search", "row:5", "-k", "2", "--by", "pixel", "--index", index).splitlines()
    first = dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=True))
    assert (first["row"], first["near-duplicate of"]) == (f"row:{len(KINDS)}", "row:5")
    without = answer(capsys, "search", f"row:{len(KINDS)}", "-k", "1", "--by", "pixel", "--index", index)
    assert "near-duplicate of" not in without  # of the originals none is a copy


def test_search_by_binary_code_counts_bits(
    trained_index: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = photographs / "red" / "03.png"
    lines = answer(capsys, "search", query, "-k", "40", "--by", "binary", "--index", trained_index).splitlines()
    cells = [line.split("\t") for line in lines[1:]]
    assert [cell[0] for cell in cells] == ["binary"] * N_IMAGES
    assert cells[0][3] == "0"
    assert [int(cell[3]) for cell in cells] == sorted(int(cell[3]) for cell in cells)
    result = json.loads(answer(capsys, "search", query, "-k", "3", "--by", "all", "--json", "--index", trained_index))
    assert [len(result[method]) for method in ("code", "pixel", "binary")] == [3, 3, 3]
    assert result["binary"][0]["url"] == query.as_uri()


def test_search_saves_a_picture(trained_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "hits.png"
    answer(capsys, "search", "row:0", "-k", "3", "--save", picture, "--index", trained_index)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_evaluate_prints_the_promised_json(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = json.loads(answer(capsys, "evaluate", "--json", "--index", index))
    assert set(figures) >= {"n_database", "n_queries", "n_twins", "n_near_twins", "ap_formula", "methods", "curve"}
    assert figures["n_queries"] == N_IMAGES
    assert list(figures["methods"]) == ["pixel", "pca", "pca-white", "hog", "untrained", "code", "binary", "short"]
    for method in figures["methods"].values():
        assert set(method) == {"title", "p@1", "p@10", "p@100", "map@1000", "knn20"}
    assert figures["methods"]["pixel"]["p@1"] == 1.0  # one colour, one label
    kept = json.loads((index / "quality.json").read_text())
    assert kept.pop("labelled") | kept == figures


def test_evaluate_prints_a_table_and_draws_the_curve(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "curve.png"
    lines = answer(capsys, "evaluate", "--plot", picture, "--max-queries", "9", "--index", index).splitlines()
    assert lines[0].split("\t") == ["method", "p@1", "p@10", "p@100", "map@1000", "knn20", "nearest by"]
    assert [line.split("\t")[0] for line in lines[1:9]][::5] == ["pixel", "code"]
    assert lines[9].startswith(f"9 queries (drawn from {N_IMAGES}) over {N_IMAGES} images.")
    copies = next(number for number, line in enumerate(lines) if line.startswith("method\tcrop\t"))
    assert [line.split("\t")[0] for line in lines[copies + 1 : copies + 9]][::5] == ["pixel", "code"]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def unlabelled_index(index: Path) -> Path:
    with closing(sqlite3.connect(index / "corpus" / "corpus.sqlite")) as database, database:
        database.execute("UPDATE image SET label = ''")
    return index


def test_evaluate_measures_what_can_be_measured_without_labels(
    unlabelled_index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = json.loads(answer(capsys, "evaluate", "--json", "--index", unlabelled_index))
    assert "methods" not in figures
    assert figures["distorted"]["n_rows"] == N_IMAGES
    assert figures["distorted"]["mean"]["pixel"]["top1"] > 0.2
    assert run(["evaluate", "--index", str(unlabelled_index)]) == 0
    assert "nothing measured by labels: no indexed image has a label" in capsys.readouterr().err
    assert json.loads((unlabelled_index / "quality.json").read_text())["labelled"] is None


def test_evaluate_refuses_a_curve_or_queries_without_labels(
    unlabelled_index: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option, path in (("--plot", unlabelled_index / "curve.png"), ("--queries", photographs)):
        line = complaint(capsys, "evaluate", option, path, "--index", unlabelled_index)
        assert "no indexed image has a label" in line
    assert not (unlabelled_index / "curve.png").exists()


def test_evaluate_with_queries_of_a_folder(
    index: Path, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shrunk = Image.open(photographs / "red" / "00.png").resize((40, 30))
    (tmp_path / "queries" / "green").mkdir(parents=True)
    shrunk.save(tmp_path / "queries" / "green" / "looks-red.png")
    queries = tmp_path / "queries.zip"
    shutil.make_archive(str(queries.with_suffix("")), "zip", tmp_path / "queries")
    figures = json.loads(answer(capsys, "evaluate", "--queries", queries, "--json", "--index", index))
    assert figures["n_queries"] == 1
    assert figures["methods"]["pixel"]["p@1"] == 0.0


def test_status_before_and_after(trained_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = json.loads(answer(capsys, "status", "--json", "--index", tmp_path / "none"))
    assert nothing["images"] == nothing["coded"] == nothing["indexed"] == 0
    assert nothing["shipped_model"]
    assert not (tmp_path / "none").exists(), "asking for the status must not create anything"
    state = json.loads(answer(capsys, "status", "--json", "--index", trained_index))
    assert state["images"] == state["coded"] == state["indexed"] == N_IMAGES
    assert state["removed"] == 0
    assert not state["shipped_model"]
    assert state["crawl"] == {"kept": 0, "duplicate": 0, "skipped": 0, "failed": 0, "queued": 0}
    assert state["index_bytes"] > N_IMAGES * 3072


def test_removed_images_vanish_at_once_and_come_back(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> list[int]:
        printed = answer(capsys, "search", "row:5", "-k", "40", "--by", "pixel", "--json", "--index", index)
        return [hit["row"] for hit in json.loads(printed)["pixel"]]

    first = rows()[0]
    answer(capsys, "remove", f"row:{first}", "--index", index)
    assert first not in rows()
    assert json.loads(answer(capsys, "status", "--json", "--index", index))["removed"] == 1
    answer(capsys, "remove", "--undo", f"row:{first}", "--index", index)
    assert rows()[0] == first


def test_remove_takes_an_address(index: Path, photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "remove", (photographs / "blue" / "02.png").as_uri(), "--index", index)
    assert json.loads(answer(capsys, "status", "--json", "--index", index))["removed"] == 1


def test_new_images_are_found_after_reindex_without_training(
    index: Path, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.png"
    shutil.copy(photographs / "red" / "00.png", new)
    with new.open("ab") as file:
        file.write(b"other bytes, same picture")
    answer(capsys, "add", new, "--index", index)
    answer(capsys, "reindex", "--index", index)
    result = json.loads(answer(capsys, "search", new, "-k", "2", "--json", "--index", index))
    assert {hit["row"] for hit in result["code"]} == {hit["row"] for hit in result["pixel"]} >= {N_IMAGES}


# ----------------------------------------------------------------------------------------------------------------------
# mistakes: one clear line and exit code 1


def test_a_missing_file(trained_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.jpg"
    assert "missing.jpg" in complaint(capsys, "search", missing, "--index", trained_index)
    assert "missing.jpg" in complaint(capsys, "add", missing, "--index", tmp_path / "index")
    assert "missing.jpg" in complaint(capsys, "evaluate", "--queries", missing, "--index", trained_index)


def test_not_an_image(trained_index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not an image" in complaint(capsys, "search", REPOSITORY / "pyproject.toml", "--index", trained_index)


@pytest.mark.parametrize("command", [["search", "row:0"], ["train"], ["reindex"], ["evaluate"], ["remove", "row:0"]])
def test_an_empty_index(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = complaint(capsys, *command, "--index", tmp_path / "index")
    assert "imgsearch add" in line or "imgsearch crawl" in line


def test_a_missing_index_names_its_command_and_needs_no_training(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "index"
    answer(capsys, "add", photographs, "--index", root)
    assert "imgsearch reindex" in complaint(capsys, "search", "row:0", "--index", root)
    answer(capsys, "reindex", "--index", root)
    assert "row:" in answer(capsys, "search", "row:0", "--index", root)
    assert not (root / "model").exists()


def test_an_unknown_row(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "99999" in complaint(capsys, "search", "row:99999", "--index", index)
    assert "99999" in complaint(capsys, "remove", "row:99999", "--index", index)
    assert "row:x" in misuse(capsys, "search", "row:x", "--index", index)
    assert "https://nowhere.example/a.jpg" in complaint(
        capsys, "remove", "https://nowhere.example/a.jpg", "--index", index
    )


def test_an_index_made_by_another_model(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "train", "--epochs", "1", "--seed", "9", "--keep", "new", "--device", "cpu", "--index", index)
    assert "imgsearch reindex" in complaint(capsys, "search", "row:0", "--index", index)
    answer(capsys, "reindex", "--index", index)
    answer(capsys, "search", "row:0", "--index", index)


def test_a_port_in_use(trained_index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in complaint(capsys, "app", "--port", port, "--index", trained_index)
        assert port in complaint(capsys, "demo", "--port", port, "--index", trained_index / "demo")
        assert not (trained_index / "demo").exists(), "the demo must see that before it begins"


def test_an_unreachable_url(trained_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:  # bound, never listening: a connection is refused
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        url = f"http://{host}/"
        assert host in complaint(capsys, "crawl", url, "--allow-private", "--index", tmp_path / "index")
        assert host in complaint(capsys, "search", url, "--allow-private", "--index", trained_index)


def test_a_private_address_is_refused(trained_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (
        complaint(capsys, "crawl", "http://127.0.0.1:9/", "--index", tmp_path / "index"),
        complaint(capsys, "search", "http://127.0.0.1:9/a.jpg", "--index", trained_index),
    ):
        assert "private" in line
        assert "--allow-private" in line


def test_a_site_that_disallows_crawling_in_robots_txt(
    trained_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        site.robots("User-agent: imgsearch\nDisallow: /")
        site.page("/", "<img src=/a.gif>")
        image = site.image("/a.gif", 1)
        page = f"{site.url}/"
        assert "robots.txt" in complaint(capsys, "crawl", page, "--allow-private", "--index", tmp_path / "index")
        assert "robots.txt" in complaint(capsys, "search", image, "--allow-private", "--index", trained_index)
        assert set(site.paths()) == {"/robots.txt"}


def test_a_crawl_adds_images_to_the_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "index"
    with serving() as site:
        site.page("/", '<img src="/red/a.gif" alt="first"><img src="/red/again.gif"><img src="/gone.gif">')
        site.image("/red/a.gif", 1)
        site.image("/red/again.gif", 1)
        line = ("crawl", f"{site.url}/", "--allow-private", "--delay", "0", "--labels-from-folders", "--index", root)
        report = json.loads(answer(capsys, *line, "--json"))
        assert (report["kept"], report["duplicate"], report["failed"]) == (1, 1, 1)
        assert "nothing is left" in answer(capsys, *line)
    state = json.loads(answer(capsys, "status", "--json", "--index", root))
    assert state["crawl"] == {"kept": 1, "duplicate": 1, "skipped": 0, "failed": 1, "queued": 0}
    with Corpus.open(index_paths(root)) as corpus:
        entry = corpus.entry(0)
        assert {source.url for source in corpus.sources(0)} == {f"{site.url}/red/a.gif", f"{site.url}/red/again.gif"}
    assert (entry.label, entry.page_url) == ("red", f"{site.url}/")


def test_an_address_that_is_not_http(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ftp" in misuse(capsys, "crawl", "ftp://example.org/", "--index", tmp_path / "index")


def test_a_corrupt_zip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "photographs.zip"
    archive.write_bytes(b"PK\x03\x04 and then nothing of use")
    assert "photographs.zip" in complaint(capsys, "add", archive, "--index", tmp_path / "index")


def test_a_file_where_the_directory_should_be(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a directory")
    assert "file" in complaint(capsys, "add", photographs, "--index", tmp_path / "file" / "index")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["fly"], "No such command 'fly'"),
        (["search"], "name either an image"),
        (["search", "row:0", "-k", "0"], "'0' is not a whole number from 1"),
        (["crawl", "x", "--delay", "nan"], "'nan' is not a number of seconds"),
        (["crawl", "--refresh", "--retry-failed"], "exclude each other"),
        (["crawl"], "no URL to start from"),
        (["app", "--port", "0"], "'0' is not a port"),
        (["remove"], "nothing is named"),
        (["lab", "alchemy"], "there are digits-30, "),
        (["why", "ftp://example.org/a.png"], "is not an http or https URL"),
        (["train", "--minutes", "1", "--epochs", "1"], "give minutes or epochs"),
        (["train", "--network", "crystal"], "'crystal' is not one of conv, "),
        (["finetune", "--objective", "1*2*x"], "is no term"),
        (["train", "--objective", "alchemy"], "there is no objective 'alchemy'; there are agree, "),
        (["train", "--text", "--objective", "alchemy"], "there is no objective 'alchemy'"),
        (["remove", "row:x"], "names no row"),
        (["finetune", "--held-out", "2"], "'2' is not a number from 0 to 1"),
    ],
)
def test_wrong_usage_exits_with_2(line: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    printed = misuse(capsys, *line)
    assert said in printed
    assert "help" in printed  # both typer's refusals and those of a command say where it is


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    printed = capsys.readouterr()
    assert "Usage: imgsearch" in printed.out + printed.err


def test_the_version_and_the_help_are_successes(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "--version") == f"imgsearch {__version__}\n"
    assert "digits-30" in answer(capsys, "lab", "--help")
    assert "no_such" not in answer(capsys, "-h")


@pytest.mark.parametrize("line", [["--debug"], []])
def test_a_traceback_is_shown_for_debugging_only(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMGSEARCH_DEBUG", raising=False)
    command = ["search", "row:0", "--index", str(tmp_path)]
    assert run([*line, *command]) == 1
    assert ("Traceback" in capsys.readouterr().err) == bool(line)
    monkeypatch.setenv("IMGSEARCH_DEBUG", "1")
    assert run(command) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_unexpected_error_of_the_system_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(24, "Too many open files", "thumbnails.u8")

    monkeypatch.setattr("imgsearch.workflows.status.read_status", fail)
    line = complaint(capsys, "status", "--index", tmp_path)
    assert line.endswith("unexpected error of the operating system: Too many open files: thumbnails.u8")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_file_system(tmp_path / "disk", "300k") as place:
        yield place


@pytest.mark.root
def test_a_full_disk_loses_nothing_that_was_stored(
    small_disk: Path, tmp_path: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_disk / "index"
    answer(capsys, "add", photographs / "red" / "00.png", "--index", root)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(400_000))
    line = complaint(capsys, "add", photographs, "--index", root)
    assert "space" in line.lower() or "full" in line.lower()
    filler.unlink()
    assert json.loads(answer(capsys, "status", "--json", "--index", root))["images"] == 1


@pytest.mark.root
def test_a_read_only_directory(small_disk: Path, photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = small_disk / "index"
    answer(capsys, "add", photographs / "red" / "00.png", "--index", root)
    remount(small_disk, "ro")
    assert "read-only" in complaint(capsys, "add", photographs, "--index", root).lower()


# ----------------------------------------------------------------------------------------------------------------------
# as a process


@pytest.mark.slow
def test_help_is_quick_beside_torch() -> None:
    def seconds(*line: str) -> float:
        def once() -> float:
            start = time.perf_counter()
            subprocess.run([sys.executable, *line], check=True, capture_output=True)
            return time.perf_counter() - start

        return min(once() for _ in range(3))

    # What must not happen is that the help loads torch (2 s where the help takes 0.1 s). Beside a bare interpreter
    # with argparse (0.02 s) typer itself takes most of the time, so that is no measure of what we import.
    assert seconds("-m", "imgsearch", "--help") < seconds("-c", "import torch") / 4


def test_a_closed_pipe_is_not_a_failure(trained_index: Path) -> None:
    line = f"{sys.executable} -m imgsearch search row:0 -k 30 --index {trained_index} | head -n 1"
    finished = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_model_so_far(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "index"
    answer(capsys, "add", photographs, "--index", root)
    line = [sys.executable, "-m", "imgsearch", "train", "--minutes", "10", "--device", "cpu", "--index", str(root)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr is not None
        before = next(text for text in training.stderr if text.startswith(("training:", "imgsearch:")))
        assert before.startswith("training:")  # it is under way
        training.send_signal(signal.SIGINT)
        _, errors = training.communicate(timeout=60)
    assert training.returncode == 0, errors
    assert "stopping" in errors
    answer(capsys, "reindex", "--index", root)
    answer(capsys, "search", "row:0", "--index", root)
