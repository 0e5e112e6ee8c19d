"""A server of one page, for this machine alone: on 127.0.0.1, and with no file but the page's own."""

import sys
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Lock
from typing import Any

from nurecoil._version import __version__
from nurecoil.errors import NurecoilError
from nurecoil.explorer.live import Explorer
from nurecoil.explorer.state import State
from nurecoil.study.record import strict_json

HOST = "127.0.0.1"
_PAGES = {
    "/": ("index.html", "text/html"),
    "/explorer.js": ("explorer.js", "text/javascript"),
    "/explorer.css": ("explorer.css", "text/css"),
}
_ONLY_OURS = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"


class Server(ThreadingHTTPServer):
    """The page, and answers to what it asks, one at a time."""

    daemon_threads = True

    def __init__(self, explorer: Explorer, port: int) -> None:
        """Listen on a port; 0 for any that is free."""
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or "it must be between 0 and 65535"
            raise NurecoilError(f"cannot listen on port {port}: {why}") from None
        self.lock = Lock()
        self.asked: Mapping[str, Callable[[str], dict[str, object]]] = {
            "/api/choices": lambda query: {**explorer.choices(), "version": __version__},
            "/api/parameters": lambda query: explorer.parameters(State.of(query)),
            "/api/answer": lambda query: explorer.answer(State.of(query)),
            "/api/moving": lambda query: explorer.answer(State.of(query), settled=False),
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what went wrong, but nothing of a page that has been left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = f"nurecoil/{__version__}"
    sys_version = ""

    def do_GET(self) -> None:
        """Send a page of the explorer, or an answer."""
        path, _, query = self.path.partition("?")
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if host not in (HOST, "localhost"):  # a page elsewhere whose name was made to mean this machine
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"nurecoil answers to this machine alone\n")
        elif path in _PAGES:
            name, kind = _PAGES[path]
            self._send(HTTPStatus.OK, kind, files("nurecoil.explorer").joinpath("page", name).read_bytes())
        elif path in self.server.asked:
            status, record = self._answer(path, query)
            self._send(status, "application/json", strict_json(record).encode())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"there is no such page\n")

    def _answer(self, path: str, query: str) -> tuple[HTTPStatus, dict[str, object]]:
        try:
            with self.server.lock:
                return HTTPStatus.OK, self.server.asked[path](query)
        except NurecoilError as error:
            return HTTPStatus.BAD_REQUEST, {"error": " ".join(str(error).split())}
        except Exception as error:  # the page says it, and goes on; here is where
            traceback.print_exc()
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"{type(error).__name__}: {error}"}

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _ONLY_OURS)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""
