"""The architecture, held by reading the imports with `ast`: which module may know which, and who meets the outside."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGES = ("imgsearch", "crawler")

# A module imports from its own wing and from wings before it. (`console` and `commands` belong to the command line.)
WINGS = ("floor", "corpus", "autoencoder", "retrieval", "workflows", "demo", "lab", "web", "cli")
FLOOR = {"errors", "paths", "device", "progress", "records", "linear", "html_report"}

# One outside system per module (a prefix names a folder); faiss has one module for each index and the seam they share.
ONLY_IN = {
    "faiss": {
        "imgsearch.retrieval.index.anchors",
        "imgsearch.retrieval.index.candidates",
        "imgsearch.retrieval.index.code",
        "imgsearch.retrieval.index.pixel",
        "imgsearch.retrieval.index.binary",
    },
    "requests": {"crawler.fetching.connections", "crawler.fetching.fetch"},
    "requests_hardened": {"crawler.fetching.connections"},
    "urllib3": {"crawler.fetching.connections", "crawler.fetching.fetch", "crawler.fetching.deadline"},
    "sqlite3": {"imgsearch.corpus.database", "crawler.frontier.frontier"},
    "streamlit": {"imgsearch.web"},
    "protego": {"crawler.parsing.robots"},
    "lxml": {"crawler.parsing.sitemaps"},
    "rich": {"imgsearch.cli.output"},
    "skimage": {"imgsearch.retrieval.evaluation.methods"},
    "matplotlib": {"imgsearch.retrieval.evaluation.plot", "imgsearch.lab.drawing"},
    "sklearn": {
        "imgsearch.lab.datasets",
        "imgsearch.lab.posts",
        "imgsearch.retrieval.explore.image_map",
    },  # digits; posts; t-SNE
    "torchvision": {"imgsearch.demo.cifar10", "imgsearch.lab.datasets"},
    "pyarrow": {"crawler.url_lists"},
}
# Where torch may be used; faiss and Streamlit are never reached from here.
TORCH_WINGS = ("imgsearch.device", "imgsearch.autoencoder", "imgsearch.retrieval.search.searcher", "imgsearch.lab")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere in the file, inside functions too, but not for type checking alone."""
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _runtime_nodes(child)


def wing(module: str) -> str:
    parts = module.split(".")
    if parts[:2] == ["imgsearch", "workflows"]:
        return "cli"  # until the printing has moved out of them
    if len(parts) == 1:
        return "floor"
    if parts[1] in FLOOR:
        return "floor"
    return parts[1] if parts[1] in WINGS else "cli"


MODULES = dict(modules())


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("imgsearch.")])
def test_a_module_imports_only_from_its_own_wing_and_earlier_ones(module: str) -> None:
    own = WINGS.index(wing(module))
    for imported in imports(MODULES[module]):
        if imported.startswith("imgsearch."):
            assert WINGS.index(wing(imported)) <= own, f"{module} imports {imported} from a later wing"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("crawler")])
def test_the_crawler_knows_nothing_of_imgsearch(module: str) -> None:
    assert not [
        name for name in imports(MODULES[module]) if name.split(".")[0] in ("imgsearch", "torch", "faiss", "PIL")
    ]


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("imgsearch.")])
def test_only_the_faces_meet_the_crawler(module: str) -> None:
    used = {name for name in imports(MODULES[module]) if name.split(".")[0] == "crawler"}
    if module.startswith("imgsearch.web"):
        assert used <= {
            "crawler.errors",
            "crawler.errors.CrawlerError",
            "crawler.fetching.fetch",
            "crawler.fetching.fetch.fetch_image",
        }
    else:
        assert not used or wing(module) == "cli"


@pytest.mark.parametrize("module", list(MODULES))
def test_each_outside_system_has_one_module(module: str) -> None:
    for imported in imports(MODULES[module]):
        allowed = ONLY_IN.get(imported.split(".")[0])
        if allowed is not None:
            assert any(module == place or module.startswith(f"{place}.") for place in allowed), f"{module}: {imported}"


@pytest.mark.parametrize("module", list(MODULES))
def test_torch_stays_in_its_wing(module: str) -> None:
    if "torch" in {name.split(".")[0] for name in imports(MODULES[module])}:
        assert module.startswith(TORCH_WINGS)


@pytest.mark.parametrize("module", list(MODULES))
def test_untrusted_images_are_opened_in_one_place(module: str) -> None:
    if module == "imgsearch.corpus.decoding.images":
        return
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) != ("Image", "open"), f"{module} opens an image itself"


@pytest.mark.parametrize("wing_name", [*WINGS[1:4], "crawler"])
def test_there_is_no_circle_inside_a_wing(wing_name: str) -> None:
    prefix = "crawler" if wing_name == "crawler" else f"imgsearch.{wing_name}"
    inside = {
        name: set(imports(tree)) & set(MODULES) for name, tree in MODULES.items() if name.startswith(f"{prefix}.")
    }
    while inside:
        leaves = {name for name, needs in inside.items() if not needs & set(inside)}
        assert leaves, f"a circle among {sorted(inside)}"
        inside = {name: needs for name, needs in inside.items() if name not in leaves}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import imgsearch", {"torch", "faiss", "streamlit", "numpy", "PIL"}),
        ("import imgsearch.cli.main", {"torch", "faiss", "streamlit", "numpy", "PIL", "rich", "requests"}),
        ("import imgsearch.cli.commands", {"torch", "faiss", "streamlit", "rich"}),
        ("import imgsearch.corpus.ingest, crawler.crawl", {"torch", "faiss", "streamlit"}),
        ("import imgsearch.autoencoder.training.train, imgsearch.autoencoder.encode", {"faiss", "streamlit", "PIL"}),
        ("import imgsearch.retrieval.evaluation.model_comparison", {"faiss", "streamlit", "skimage", "matplotlib"}),
        ("import imgsearch.demo.site", {"torch", "faiss", "streamlit"}),
    ],
)
def test_an_import_loads_only_what_it_needs(statement: str, absent: set[str]) -> None:
    program = f"import sys; {statement}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not absent & set(found.stdout.split())


def test_no_module_is_a_drawer() -> None:
    names = {part for module in MODULES for part in module.split(".")}
    assert not names & {"utils", "util", "common", "helpers", "manager", "misc"}


def test_files_stay_short() -> None:
    long = {
        str(path.relative_to(REPOSITORY)): n_lines
        for path in [*Path(REPOSITORY).glob("imgsearch/**/*.py"), *Path(REPOSITORY).glob("crawler/**/*.py")]
        if (n_lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
