"""The command `app`."""

from imgsearch.cli.grammar import examples
from imgsearch.cli.options import DEFAULT_PORT, IndexOption, PortOption
from imgsearch.paths import index_paths


@examples("imgsearch app", "imgsearch app --port 8599")
def app(index: IndexOption = None, port: PortOption = DEFAULT_PORT) -> None:
    """Open the search page in the browser."""
    from imgsearch.web.server import serve

    serve(index_paths(index).root, port)
