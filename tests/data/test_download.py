import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dltool.core.errors import DataError
from dltool.data.download import Remote, fetch

CONTENT = bytes(range(256)) * 5000


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.path != "/cut.bin":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000])


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The address of a server of tmp_path/server; /cut.bin ends before its time."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "a.bin").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def md5(content):
    return hashlib.md5(content).hexdigest()


def test_a_file_is_whole_and_its_folder_made(tmp_path, server):
    path = tmp_path / "数据" / "inner" / "a.bin"
    fetch(Remote(f"{server}/a.bin", md5(CONTENT)), path)
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_on_this_machine(tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    fetch(Remote((tmp_path / "a.bin").as_uri(), md5(CONTENT)), tmp_path / "b.bin")
    assert (tmp_path / "b.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "sum_of", "reason"),
    [
        ("gone.bin", CONTENT, "HTTP status 404"),
        ("a.bin", b"other", "has the MD5 sum .*, not "),
        ("cut.bin", CONTENT, "ended after 1,000 of 1,280,000 bytes"),
    ],
)
def test_a_failure_is_one_error_and_leaves_nothing(tmp_path, server, name, sum_of, reason):
    path = tmp_path / "new" / name
    with pytest.raises(DataError, match=reason) as caught:
        fetch(Remote(f"{server}/{name}", md5(sum_of)), path)
    assert str(path) in caught.value.message + caught.value.hint
    assert server in caught.value.message
    assert "\n" not in caught.value.message
    assert not list(path.parent.iterdir())


def test_no_server(tmp_path):
    with pytest.raises(DataError, match=r"download of http://127.0.0.1:9/a.bin .* failed: .*Connection refused"):
        fetch(Remote("http://127.0.0.1:9/a.bin", ""), tmp_path / "a.bin")


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(DataError, match="failed"):
        fetch(Remote("http://127.0.0.1:9/a.bin", ""), tmp_path / "a" / "a.bin")
