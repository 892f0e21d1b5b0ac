"""The hosts of a frontier: the time of the next request to each, its robots.txt, and its failures in a row."""

from crawler.frontier.database import FrontierDatabase
from crawler.reasons import Reason, stored
from crawler.records import HOST_COLUMNS, Host, host_from_row


class Hosts:
    """Reads and writes the table `host`. A host is a scheme, host name and port (`urls.origin`)."""

    def __init__(self, database: FrontierDatabase) -> None:
        self._database = database

    def get(self, host: str) -> Host:
        """Return what is known about a host that URLs were added of."""
        (row,) = self._database.rows(f"SELECT {HOST_COLUMNS} FROM host WHERE host = ?", host)
        return host_from_row(row)

    def pace(self, host: str, next_at: float) -> None:
        """Allow no request to `host` before `next_at`; a later time set before stays."""
        self._database.run("UPDATE host SET next_at = ? WHERE host = ? AND next_at < ?", next_at, host, next_at)

    def set_answer_seconds(self, host: str, answer_seconds: float) -> None:
        """Store the running mean of the answer times of `host`."""
        self._database.run("UPDATE host SET answer_seconds = ? WHERE host = ?", answer_seconds, host)

    def note_trouble(self, host: str, trouble: Reason | None) -> int:
        """Count a failure to reach `host`, or reset the count (None); return the number of failures in a row."""
        fails = "0" if trouble is None else "fails + 1"
        self._database.run(
            f"UPDATE host SET fails = {fails}, trouble_code = ?, trouble_detail = ? WHERE host = ?",
            *(*stored(trouble), host),
        )
        return self.get(host).fails

    def set_robots(self, host: str, state: str, until: float, *, text: str = "", delay: float = 0.0) -> None:
        """Store the answer for robots.txt of `host` (`robots.RobotsState`), and end the lease on the host."""
        self._database.run(
            "UPDATE host SET robots_state = ?, robots_until = ?, robots = ?, delay = ?, owner = '' WHERE host = ?",
            *(state, until, text, delay, host),
        )

    def settle(self, host: str, outcome: str, reason: Reason | None) -> None:
        """Give every URL that waits on `host` the same outcome, and end the lease on the host."""
        self._database.run(
            "UPDATE url SET outcome = ?, reason_code = ?, reason_detail = ?"
            " WHERE host = ? AND outcome = 'queued' AND owner = ''",
            *(outcome, *stored(reason), host),
        )
        self._database.run("UPDATE host SET owner = '' WHERE host = ?", host)
