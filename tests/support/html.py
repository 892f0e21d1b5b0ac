"""Parse HTML as a browser would, for tests of pages that show untrusted text."""

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "rect"}


class Elements(HTMLParser):
    """The elements and the text of a document; an element that is closed in the wrong place is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.found]

    @property
    def handlers(self) -> list[str]:
        """Attributes that would run a script."""
        return [name for _, attributes in self.found for name in attributes if name.startswith("on")]

    @property
    def addresses(self) -> list[str]:
        """Addresses that a browser would load or follow."""
        names = ("src", "href", "srcset", "action")
        return [attributes[name] or "" for _, attributes in self.found for name in names if name in attributes]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of this kind."""
        return [attributes for name, attributes in self.found if name == tag]

    def one(self, tag: str) -> dict[str, str | None]:
        """The attributes of the only element of this kind."""
        (attributes,) = self.all(tag)
        return attributes
