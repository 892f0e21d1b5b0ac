"""Start the page: run Streamlit as a process of its own, with the settings in `config.toml`, until Ctrl-C.

Does not import Streamlit, so that the command line stays quick.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from imgsearch.errors import AppError, Hint
from imgsearch.paths import INDEX_VARIABLE

PAGE = Path(__file__).with_name("page.py")
SETTINGS = Path(__file__).with_name("config.toml")
LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0  # a cold disk and a busy machine; a healthy start takes two
STOP_SECONDS = 10.0
ANY_HOST = ("", "0.0.0.0", "::")  # noqa: S104 # compared with, not bound to


@dataclass(frozen=True)
class RunningApp:
    """A page that is served at `url`."""

    url: str
    process: subprocess.Popen[bytes]


def serve(index: Path, port: int, *, host: str = LOOPBACK, open_browser: bool = True) -> None:
    """Serve the page over an index directory until Ctrl-C or SIGTERM; open a browser where there is a display.

    Raises:
        AppError: the port is in use or not allowed, or the page did not start or ended unexpectedly.
    """
    try:
        with _sigterm_as_interrupt(), running_app(index, port, host=host) as app:
            print(f"imgsearch is served at {app.url} (stop it with Ctrl-C)", flush=True)  # noqa: T201 # for whoever started it
            if open_browser and has_display():
                webbrowser.open(app.url)
            code = app.process.wait()
    except KeyboardInterrupt:
        return
    raise AppError(f"the page ended unexpectedly, with exit code {code}. Its last messages are above. Start it again.")


@contextmanager
def running_app(index: Path, port: int, *, host: str = LOOPBACK) -> Iterator[RunningApp]:
    """Run the page over `index`: it is served when this yields, and stopped when the block ends.

    Raises:
        AppError: as `serve`.
    """
    check_port(host, port)
    process = subprocess.Popen(
        streamlit_command(host, port),
        env={**os.environ, INDEX_VARIABLE: str(index)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # Streamlit's greeting; its warnings go to standard error
    )
    try:
        reached = LOOPBACK if host in ANY_HOST else host
        _wait_until_healthy(process, reached, port)
        yield RunningApp(f"http://{f'[{reached}]' if ':' in reached else reached}:{port}", process)
    finally:
        _end(process)


def check_port(host: str, port: int) -> None:
    """Raise AppError unless a server can listen on `port` of `host`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just closed is free
            trial.bind(address)
            trial.listen()
    except PermissionError as error:
        raise AppError(f"port {port} needs more rights; 1024 and above do not.", hint=Hint.OTHER_PORT) from error
    except socket.gaierror as error:
        raise AppError(f"there is no host {host!r} to listen on: {error.strerror}.") from error
    except OSError as error:
        raise AppError(f"port {port} is in use.", hint=Hint.OTHER_PORT) from error


def streamlit_command(host: str, port: int) -> list[str]:
    """Return the command that starts Streamlit with the page's settings, which override `~/.streamlit`."""
    settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    settings["server"] |= {"address": host, "port": port, "headless": True}
    return [sys.executable, "-m", "streamlit", "run", str(PAGE), *_options(settings)]


def _options(settings: Mapping[str, Any], prefix: str = "--") -> Iterator[str]:
    """Yield each setting of the nested tables as `--section.name=value`."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _options(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}={str(value).lower() if isinstance(value, bool) else value}"


def has_display() -> bool:
    """Return whether a browser window would be visible."""
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


# ----------------------------------------------------------------------------------------------------------------------
# the process


def _wait_until_healthy(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AppError(
                f"the page did not start: Streamlit ended with code {process.returncode}. Its messages are above."
            )
        if _is_healthy(host, port):
            return
        time.sleep(0.1)
    message = f"the page did not answer within {START_SECONDS:.0f} seconds. Try again."
    raise AppError(message, hint=Hint.OTHER_PORT)


def _is_healthy(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2.0)  # bypasses proxies
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False  # not listening yet
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that the page does not stay behind on its port."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set a handler
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)
