"""The server of the live pages: which requests are answered, and with which headers.

It listens on 127.0.0.1 only, yet any page that is open in the user's browser can send requests there. Three things
keep others out: the random token in the address; the Host header, which has a foreign name when a foreign name was
made to lead here (DNS rebinding); and the Origin header. Nothing but GET and HEAD is answered.
"""

import secrets
import signal
import sys
import threading
import webbrowser
from errno import EACCES, EADDRINUSE
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from dltool.core.confined import confined_to
from dltool.core.errors import ConfigError
from dltool.core.language import Language, in_language
from dltool.report.live.addresses import parsed
from dltool.report.live.routes import Answer, NotFoundError, Routes

ADDRESS = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost")  # With any port: an ssh tunnel may have another one.
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
POLICY = "default-src 'none'; frame-ancestors 'none'"  # Of what is not a page; a page has its own in addition.
PAGE_POLICY = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"


class LiveServer(ThreadingHTTPServer):
    """Serves the pages of the runs below a folder.

    Args:
        root: The folder.
        port: 0 takes a free one.
        language: Of the pages; None leaves it to the locale.

    Raises:
        ConfigError: The port is in use.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, root: Path, port: int = 0, language: Language | None = None) -> None:
        self.root = root
        self.language = language
        self.token = secrets.token_urlsafe(24)
        self.routes = Routes(root)
        try:
            super().__init__((ADDRESS, port), Handler)
        except OverflowError as error:
            raise ConfigError(f"--port {port}: must be from 0 to 65535", "--port 0 takes a free one") from error
        except OSError as error:
            reasons = {EADDRINUSE: "is in use", EACCES: "needs the rights of the administrator"}
            reason = reasons.get(error.errno or 0, f"cannot be opened: {error.strerror}")
            raise ConfigError(f"--port {port} {reason}", "another port; --port 0 takes a free one") from error

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that is closed in the middle of an answer is no error; others are one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            print(f"error: a request failed: {type(error).__name__}: {error}", file=sys.stderr)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # Seconds that a connection may be idle.
    server: LiveServer

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if not self._is_allowed(path):
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        try:
            with in_language(self.server.language), confined_to(self.server.root):
                self._send(self.server.routes.answer(path.split("/", 2)[2], parsed(query)))
        except (NotFoundError, ValueError):
            self._refuse(HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = do_POST

    def _is_allowed(self, path: str) -> bool:
        """Whether the request is from a page of this server, or from an address that was typed in."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        if len(hosts) != 1 or not {hosts[0], hosts[0].rpartition(":")[0]} & set(HOSTS):
            return False
        if origins and origins != [f"http://{hosts[0]}"]:
            return False
        parts = path.split("/", 2)
        return (
            len(parts) == 3 and not parts[0] and secrets.compare_digest(parts[1].encode(), self.server.token.encode())
        )

    def _send(self, answer: Answer) -> None:
        is_page = answer.kind.startswith("text/html")
        self._respond(HTTPStatus.OK, answer.kind, answer.body, PAGE_POLICY if is_page else POLICY)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # A body that was not read must not be taken for the next request.
        self._respond(status, "text/plain; charset=utf-8", f"{status.value} {status.phrase}\n".encode(), POLICY)

    def _respond(self, status: HTTPStatus, kind: str, body: bytes, policy: str) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Content-Security-Policy": policy, **HEADERS}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "GET, HEAD"
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        return "dltool"

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: a page asks every second."""


def serve(root: Path, port: int, language: Language | None, *, opens: bool) -> int:
    """Serve until SIGTERM, or until Ctrl-C raises KeyboardInterrupt.

    Args:
        root: The folder of the runs.
        port: 0 takes a free one.
        language: Of the pages; None leaves it to the locale.
        opens: Open the page in the browser.

    Returns:
        The exit code.
    """
    with LiveServer(root, port, language) as server:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        print(f"{server.url}\nThe address is for you alone; Ctrl-C ends the server.", flush=True)
        if opens:  # A browser in the terminal returns only when it is closed.
            threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
        server.serve_forever()
    return 0
