"""A progress callback that keeps what it was called with."""


class RecordedProgress:
    """The arguments of each call, in their order."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, float | None, str]] = []

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        self.calls.append((done, total, text))

    @property
    def steps(self) -> list[tuple[float, float | None]]:
        """Steps done and steps in all of each call."""
        return [(done, total) for done, total, _ in self.calls]

    @property
    def shares(self) -> list[float]:
        """The finished share of each call, whose total is known."""
        return [done / total for done, total, _ in self.calls if total]

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.calls]
