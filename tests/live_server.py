"""A server of live pages for tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dltool.report.live.server import LiveServer


@contextmanager
def serving(root: Path) -> Iterator[LiveServer]:
    with LiveServer(root, 0, "en") as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
