"""The page's process: its command, its port and how it ends."""

import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsearch.errors import AppError, Hint
from imgsearch.web import server
from tests.conftest import REPOSITORY


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_a_port_in_use_is_refused_with_the_hint_to_choose_another(taken_port: int) -> None:
    with pytest.raises(AppError, match=f"port {taken_port} is in use") as raised:
        server.check_port("127.0.0.1", taken_port)
    assert raised.value.hint is Hint.OTHER_PORT


def test_a_port_in_use_is_refused_before_anything_starts(
    taken_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_args, **_options: pytest.fail("started"))
    with pytest.raises(AppError):
        server.serve(tmp_path, taken_port, open_browser=False)


def test_a_free_port_and_a_recently_closed_one_are_accepted() -> None:
    port = free_port()
    server.check_port("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)) as listening:
        talking = socket.create_connection(("127.0.0.1", port))
        accepted, _ = listening.accept()
        accepted.close()  # closed on this side first, so the port stays in TIME_WAIT
        talking.close()
    server.check_port("127.0.0.1", port)


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(AppError, match="no host"):
        server.check_port("no-such-host.invalid", 8501)


def test_every_setting_reaches_streamlit() -> None:
    command = server.streamlit_command("127.0.0.1", 8599)
    assert command[:5] == [sys.executable, "-m", "streamlit", "run", str(server.PAGE)]
    for option in (
        "--server.address=127.0.0.1",
        "--server.port=8599",
        "--server.headless=true",
        "--server.maxUploadSize=20",
        "--server.enableXsrfProtection=true",
        "--browser.gatherUsageStats=false",
        "--server.fileWatcherType=none",
        "--theme.dark.textColor=#ebe6dc",
    ):
        assert option in command


def test_the_settings_are_known_to_streamlit() -> None:
    from streamlit import config

    options = set(config.get_config_options())
    for option in server._options(tomllib.loads(server.SETTINGS.read_text(encoding="utf-8")), ""):
        assert option.split("=")[0] in options


def test_a_clone_reads_the_same_settings() -> None:
    assert (REPOSITORY / ".streamlit" / "config.toml").samefile(server.SETTINGS)


@pytest.mark.parametrize(
    ("variables", "seen"), [({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "wayland-0"}, True)]
)
def test_a_browser_needs_a_display(variables: dict[str, str], seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert server.has_display() is seen


def test_a_page_that_ends_during_its_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "streamlit_command", lambda _host, _port: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(AppError, match="ended with code 3"):
        server.serve(tmp_path, free_port(), open_browser=False)


def test_a_page_that_dies_later_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import http.server, os, signal, threading;"
        "http.server.BaseHTTPRequestHandler.do_GET = lambda self: (self.send_response(200), self.end_headers());"
        "page = http.server.HTTPServer(('127.0.0.1', {port}), http.server.BaseHTTPRequestHandler);"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start();"
        "page.serve_forever()"
    )
    monkeypatch.setattr(
        server, "streamlit_command", lambda _host, port: [sys.executable, "-c", program.format(port=port)]
    )
    with pytest.raises(AppError, match="ended unexpectedly, with exit code -9"):
        server.serve(tmp_path, free_port(), open_browser=False)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_served_and_stops_cleanly(ending: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    program = (
        # A shell starts background jobs with SIGINT ignored, and children inherit that; these tests may run in one.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        f"from pathlib import Path; from imgsearch.web.server import serve; serve(Path({str(tmp_path)!r}), {port})"
    )
    page = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert page.stdout is not None
    with page.stdout:
        assert page.stdout.readline() == f"imgsearch is served at http://127.0.0.1:{port} (stop it with Ctrl-C)\n"
        page.send_signal(ending)
        assert page.wait(30) == 0
    server.check_port("127.0.0.1", port)
