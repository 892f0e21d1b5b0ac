"""Expect an error that carries a hint."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imgsearch.errors import Hint, ImgSearchError


@contextmanager
def raises_with_hint(
    kind: type[ImgSearchError], hint: Hint, *, match: str
) -> Iterator[pytest.ExceptionInfo[ImgSearchError]]:
    """As `pytest.raises`, and the error must carry `hint`."""
    with pytest.raises(kind, match=match) as raised:
        yield raised
    assert raised.value.hint is hint, raised.value.hint
