"""The architecture, checked by reading every import with `ast`: layers, circles, outside systems, lengths."""

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import REPOSITORY

# The order of the layers, and of the parts inside each package that has sub-packages. A module imports from its own
# part and from parts before it, imports for type checking included. A new file or folder is added to its place here.
ORDER: dict[str, tuple[str, ...]] = {
    "imgsearch": (
        *("errors", "progress", "device", "paths", "records", "linear", "html_report"),  # the ground floor
        *("corpus", "autoencoder", "retrieval", "workflows", "demo", "lab", "web", "cli", "__main__"),
    ),
    "imgsearch.corpus": (
        *("reasons", "records", "words", "bytefile", "decoding", "database", "store", "texts", "takedowns", "labels"),
        *("near_duplicates", "folders", "erasing", "ingest", "renewal"),
    ),
    "imgsearch.autoencoder": (
        *("card", "codes", "networks", "config", "checkpoint", "data", "encode", "optim", "objectives"),
        *("pretraining", "recipes", "training"),
    ),
    "imgsearch.retrieval": ("index", "build", "search", "text", "erasing", "explore", "evaluation"),
    "imgsearch.lab": (
        *("finding", "drawing", "registry", "page", "datasets", "posts", "stacks", "lecture", "experiments"),
    ),
    "imgsearch.cli": (
        *("output", "signals", "advice", "grammar", "options", "hits", "evaluation_output", "training_output"),
        *("commands", "main"),
    ),
    "crawler": (
        *("reasons", "errors", "records", "parsing", "fetching", "report", "takedown", "config", "frontier", "workers"),
        *("url_lists", "offers", "outcomes", "crawl", "refresh"),
    ),
}

# Each outside system and the modules (or packages) that may import it.
ONLY_IN = {
    "faiss": {
        "imgsearch.retrieval.index.binary_codes",
        "imgsearch.retrieval.index.candidates",
        "imgsearch.retrieval.index.code",
        "imgsearch.retrieval.index.pixel",
        "imgsearch.retrieval.index.binary",
    },
    "requests": {"crawler.fetching.connections", "crawler.fetching.fetch"},
    "requests_hardened": {"crawler.fetching.connections"},
    "urllib3": {"crawler.fetching.connections", "crawler.fetching.fetch", "crawler.fetching.deadline"},
    "sqlite3": {"imgsearch.corpus.database", "crawler.frontier.database"},
    "streamlit": {"imgsearch.web"},
    "protego": {"crawler.parsing.robots"},
    "lxml": {"crawler.parsing.sitemaps"},
    "rich": {"imgsearch.cli.output"},
    "skimage": {"imgsearch.retrieval.evaluation.methods"},
    "matplotlib": {"imgsearch.retrieval.evaluation.plot", "imgsearch.lab.drawing"},
    "sklearn": {
        "imgsearch.lab.datasets",  # small digits
        "imgsearch.lab.posts",  # newsgroups
        "imgsearch.retrieval.explore.image_map",  # t-SNE
        "imgsearch.retrieval.text.lsa",  # truncated singular value decomposition
    },
    "scipy": {"imgsearch.retrieval.text.bags"},
    "torchvision": {"imgsearch.demo.cifar10", "imgsearch.lab.datasets"},
    "pyarrow": {"crawler.url_lists"},
    "torch": {"imgsearch.device", "imgsearch.autoencoder", "imgsearch.lab"},
}

# What may import the crawler: whole parts, and the two modules of it that fetch a single query image for the page.
CRAWLER_USERS = {"imgsearch.workflows", "imgsearch.cli"}
FETCH_OF_ONE_IMAGE = {
    "crawler.errors",
    "crawler.errors.CrawlerError",
    "crawler.fetching.fetch",
    "crawler.fetching.fetch.fetch_image",
}

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_BODY = 55  # of a function, without signature and docstring


def parse_modules() -> Iterator[tuple[str, ast.Module]]:
    for package in ("imgsearch", "crawler"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported_names(tree: ast.AST, *, for_type_checking: bool = True) -> Iterator[str]:
    """Every module (and name in a module) that is imported anywhere in the file, inside functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            if not for_type_checking:
                continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from imported_names(node, for_type_checking=for_type_checking)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def systems(imported: set[str]) -> set[str]:
    """The top-level packages of imported names."""
    return {name.split(".")[0] for name in imported}


MODULES = dict(parse_modules())
PACKAGES = {name.rpartition(".")[0] for name in MODULES} - {""}
IMPORTS = {name: set(imported_names(tree)) for name, tree in MODULES.items()}
RUNTIME_IMPORTS = {name: set(imported_names(tree, for_type_checking=False)) for name, tree in MODULES.items()}


def part_of(module: str, package: str) -> str:
    """The part of `package` that holds `module`: the next piece of its name."""
    return module.removeprefix(f"{package}.").split(".")[0]


# ---------------------------------------------------------------------------------------------------------------------
# Layers


@pytest.mark.parametrize("package", ORDER)
def test_every_file_and_folder_has_its_place_in_the_order(package: str) -> None:
    parts = {part_of(name, package) for name in MODULES if name.startswith(f"{package}.")}
    assert parts - set(ORDER[package]) == set(), f"add to ORDER[{package!r}] in {__file__}"
    assert set(ORDER[package]) - parts == set(), f"no longer there: remove from ORDER[{package!r}] in {__file__}"


def test_every_package_with_sub_packages_has_an_order() -> None:
    assert {package.rpartition(".")[0] for package in PACKAGES} - {""} == set(ORDER)


def test_a_module_imports_only_from_its_own_part_and_earlier_ones() -> None:
    wrong = [
        f"{module} imports {imported}"
        for package, parts in ORDER.items()
        for module in MODULES
        if module.startswith(f"{package}.")  # not the package itself, which may export anything
        for imported in IMPORTS[module]
        if imported.startswith(f"{package}.") and part_of(imported, package) in parts  # not a name such as __version__
        if parts.index(part_of(imported, package)) > parts.index(part_of(module, package))
    ]
    assert wrong == []


def test_the_crawler_imports_nothing_of_imgsearch() -> None:
    foreign = {"imgsearch", "torch", "faiss", "PIL", "numpy"}
    wrong = {name: used for name in MODULES if is_within(name, "crawler") if (used := systems(IMPORTS[name]) & foreign)}
    assert wrong == {}


def test_only_workflows_and_the_command_line_import_the_crawler() -> None:
    wrong = {}
    for module in MODULES:
        if not any(is_within(module, user) for user in (*CRAWLER_USERS, "crawler")):
            used = {name for name in IMPORTS[module] if is_within(name, "crawler")}
            if refused := used - (FETCH_OF_ONE_IMAGE if is_within(module, "imgsearch.web") else set()):
                wrong[module] = refused
    assert wrong == {}


# ---------------------------------------------------------------------------------------------------------------------
# Circles


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Some names that import one another in a circle, or lead to one; none where there is no circle."""
    left = dict(arrows)
    while left:
        leaves = {name for name, needs in left.items() if not needs & set(left)}
        if not leaves:
            return sorted(left)
        left = {name: needs for name, needs in left.items() if name not in leaves}
    return []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def test_no_modules_import_one_another_in_a_circle() -> None:
    arrows = {name: (imported & set(MODULES)) - PACKAGES - {name} for name, imported in IMPORTS.items()}
    assert circle(arrows) == []


def test_the_init_of_a_package_imports_nothing() -> None:
    # So an arrow to a package is an arrow to the module that it names. (`imgsearch` itself exports its public names.)
    assert {name: IMPORTS[name] for name in PACKAGES - {"imgsearch"} if IMPORTS[name]} == {}


# ---------------------------------------------------------------------------------------------------------------------
# Outside systems


def test_each_outside_system_is_imported_in_its_own_modules_only() -> None:
    wrong = [
        f"{module} imports {system}"
        for module in MODULES
        for system in systems(RUNTIME_IMPORTS[module]) & set(ONLY_IN)
        if not any(is_within(module, place) for place in ONLY_IN[system])
    ]
    assert wrong == []


def test_each_module_that_may_import_an_outside_system_does() -> None:
    unused = [
        f"{place}: {system}"
        for system, places in ONLY_IN.items()
        for place in places
        if not any(system in systems(RUNTIME_IMPORTS[name]) for name in MODULES if is_within(name, place))
    ]
    assert unused == []


def test_untrusted_images_are_opened_in_one_module() -> None:
    openers = {
        module
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if (node.value.id, node.attr) == ("Image", "open")
    }
    assert openers == {"imgsearch.corpus.decoding.images"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import imgsearch", {"torch", "faiss", "streamlit", "numpy", "PIL"}),
        ("import imgsearch.cli.main", {"torch", "faiss", "streamlit", "numpy", "PIL", "rich", "requests"}),
        ("import imgsearch.workflows.ingest, imgsearch.workflows.training", {"torch", "faiss", "streamlit", "rich"}),
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


# ---------------------------------------------------------------------------------------------------------------------
# Names and lengths


def test_no_module_is_a_drawer() -> None:
    names = {part for module in MODULES for part in module.split(".")}
    assert not names & {"utils", "util", "common", "helpers", "manager", "misc"}


def test_files_stay_short() -> None:
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text(encoding="utf-8").splitlines())
        for package in ("imgsearch", "crawler")
        for path in (REPOSITORY / package).rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > MOST_LINES_OF_A_FILE} == {}


def bodies() -> Iterator[tuple[str, int]]:
    """The name of each function and the number of lines of its body, counted from after the docstring."""
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body[0]
                yield f"{module}.{node.name}", (node.end_lineno or 0) - first.lineno + 1


def test_functions_stay_short() -> None:
    assert {name: lines for name, lines in bodies() if lines > MOST_LINES_OF_A_BODY} == {}
