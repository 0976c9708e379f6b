"""Published files are fetched once, whole and unchanged, or the user is told what to do."""

import hashlib
import http.server
import threading

import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.weights import download
from mrcnn_al.weights.download import find_or_download
from mrcnn_al.weights.known_files import COCO_FILE, IMAGENET_FILES, KnownFile

CONTENT = bytes(range(256)) * 10_000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the path says."""

    def do_GET(self):
        self.server.asked.append(self.path)
        getattr(self, self.path.strip("/").replace("-", "_"))()

    def answer(self, body, length=None, status=200, **headers):
        self.send_response(status)
        if length is not False:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def right(self):
        self.answer(CONTENT)

    def unannounced(self):
        self.answer(CONTENT, length=False)

    def wrong(self):
        self.answer(b"x" + CONTENT[1:])

    def cut_off(self):
        self.answer(CONTENT[:100_000], length=len(CONTENT))

    def cut_off_unannounced(self):
        self.answer(CONTENT[:100_000], length=False)

    def too_long(self):
        self.answer(CONTENT + b"more", length=False)

    def moved(self):
        self.answer(b"", status=302, Location="/right")

    def in_circles(self):
        self.answer(b"", status=302, Location="/in-circles")

    def elsewhere(self):
        self.answer(b"", status=302, Location="file:///etc/passwd")

    def absent(self):
        self.answer(b"nothing here", status=404)

    def silent(self):
        self.server.ended.wait(20)

    def stalled(self):
        self.answer(CONTENT[:100_000], length=len(CONTENT))
        self.wfile.flush()
        self.server.ended.wait(20)

    def no_http(self):
        self.wfile.write(b"\x00\x01 something else\r\n\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.5)
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.asked, made.ended = [], threading.Event()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.ended.set()
    made.shutdown()
    thread.join()
    made.server_close()


def published(server, path, **details):
    url = f"http://127.0.0.1:{server.server_address[1]}/{path}"
    return KnownFile("weights.h5", url, **(details or {"md5": MD5}))


@pytest.mark.parametrize("path", ["right", "moved", "unannounced"])
def test_what_was_published_is_written(server, tmp_path, path, capsys):
    folder = tmp_path / "weights"
    found = find_or_download(published(server, path), folder)
    assert found == folder / "weights.h5"
    assert found.read_bytes() == CONTENT
    assert [entry.name for entry in folder.iterdir()] == ["weights.h5"]
    assert "download weights.h5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "details", "words"),
    [
        ("wrong", {"md5": MD5}, "its MD5 is "),
        ("cut-off", {"md5": MD5}, "100,000 bytes came instead of 2,560,000"),
        ("cut-off", {"size": len(CONTENT)}, "100,000 bytes came instead of 2,560,000"),
        ("cut-off-unannounced", {"md5": MD5}, "its MD5 is "),
        ("cut-off-unannounced", {"size": len(CONTENT)}, "100,000 bytes came instead of"),
        ("too-long", {"size": len(CONTENT)}, "more than the 2,560,000 bytes"),
        ("too-long", {"md5": MD5}, "its MD5 is "),
        ("absent", {"md5": MD5}, "HTTP Error 404"),
        ("in-circles", {"md5": MD5}, "HTTP Error 302"),
        ("elsewhere", {"md5": MD5}, "not allowed"),
        ("silent", {"md5": MD5}, "timed out"),
        ("stalled", {"md5": MD5}, "timed out"),
        ("no-http", {"md5": MD5}, "BadStatusLine"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_leaves_nothing(server, tmp_path, path, details, words):
    file = published(server, path, **details)
    with pytest.raises(UserError) as error:
        find_or_download(file, tmp_path)
    message = str(error.value)
    assert words in message
    for told in (file.url, file.name, str(tmp_path), "$MRCNN_AL_WEIGHTS", "weights/README.md"):
        assert told in message
    assert not list(tmp_path.iterdir())


def test_a_file_without_a_limit_is_not_endless(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_MOST_BYTES", 2**20)
    with pytest.raises(UserError, match="more than the 1,048,576 bytes"):
        find_or_download(published(server, "unannounced"), tmp_path)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/nobody", "http://nowhere.invalid/x", "nonsense", "http://["]
)
def test_no_server_or_no_address(tmp_path, url):
    with pytest.raises(UserError, match="could not be downloaded"):
        find_or_download(KnownFile("weights.h5", url, md5=MD5), tmp_path)


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be downloaded"):
        find_or_download(published(server, "right"), tmp_path / "file")


def test_a_file_that_is_there_is_taken_whatever_it_is(server, tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"the user's own")
    found = find_or_download(published(server, "right"), tmp_path)
    assert found.read_bytes() == b"the user's own"
    assert not server.asked


def test_the_published_files_are_the_ones_of_the_code_that_loads_them():
    resnet = pytest.importorskip("keras.src.applications.resnet")
    known = IMAGENET_FILES["resnet101"]
    assert known.md5 == resnet.WEIGHTS_HASHES["resnet101"][1]
    assert known.url == resnet.BASE_WEIGHTS_PATH + known.name
    # Matterport's get_imagenet_weights.
    assert IMAGENET_FILES["resnet50"].md5 == "a268eb855778b3df3c7506639542a6af"
    assert COCO_FILE.size == 257_557_808
