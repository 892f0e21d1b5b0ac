"""Search methods: each is one complete record, and choices follow from the records."""

import subprocess
import sys

import pytest

from imgsearch.retrieval.search.methods import METHODS, SEARCH_BY, TEXT_METHODS, SearchMethod

ALL_METHODS = [*METHODS.values(), *TEXT_METHODS.values()]


@pytest.mark.parametrize("methods", [METHODS, TEXT_METHODS])
def test_each_method_is_compared_with_another_one_of_its_kind(methods: dict[str, SearchMethod]) -> None:
    for name, method in methods.items():
        assert method.name == name
        assert method.compared_with in set(methods) - {name}


@pytest.mark.parametrize("method", ALL_METHODS, ids=lambda method: method.title)
def test_each_method_has_a_heading_and_an_explanation(method: SearchMethod) -> None:
    assert method.heading == f"By {method.title}"
    explained = method.explained(code_size=77, metric="cosine")
    assert explained
    assert not {"{", "}"} & set(explained)


def test_choices_are_each_method_alone_code_and_pixels_or_all() -> None:
    assert list(SEARCH_BY) == ["both", *METHODS, "all"]
    assert SEARCH_BY["both"] == ("code", "pixel")
    assert SEARCH_BY["all"] == tuple(METHODS)
    assert all(SEARCH_BY[name] == (name,) for name in METHODS)


def test_distances_are_formatted_in_the_unit_of_the_method() -> None:
    code, binary = METHODS["code"], METHODS["binary"]
    assert (code.format_distance(0.12345), code.format_distance(0.12345, 4)) == ("0.123", "0.1235")
    assert code.format_with_unit(0.12345) == "0.123"
    assert [binary.format_distance(bits) for bits in (0.0, 41.0)] == ["0", "41"]
    assert [binary.format_with_unit(bits) for bits in (0.0, 1.0, 41.0)] == ["0 bits", "1 bit", "41 bits"]


def test_importing_them_loads_no_heavy_package() -> None:
    program = "import sys; import imgsearch.retrieval.search.methods; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "faiss", "numpy"} & set(found.stdout.split())
