"""Downloads are complete and right, or leave nothing behind and everything as it was."""

import hashlib
import http.server
import threading

import numpy as np
import pytest

from quickstudy.errors import DataError
from quickstudy.files import cache_folder
from quickstudy.tasks.cache import fetch, load_cached, save_cached, save_compressed

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.endswith("missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        half = self.path.endswith("half")
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if half else CONTENT)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def url():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_download_arrives_whole_and_tells_how_far_it_is(url, tmp_path):
    seen = []
    target = fetch(f"{url}/whole", tmp_path / "new" / "a.zip", MD5, lambda *now: seen.append(now))
    assert target.read_bytes() == CONTENT
    assert seen[-1] == ("a.zip", len(CONTENT), len(CONTENT))
    assert [p.name for p in target.parent.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(
    ("path", "md5", "message"),
    [
        ("whole", "0" * 32, "md5"),
        ("half", MD5, "broke off after 128,000 of 256,000"),
        ("missing", MD5, "404"),
    ],
)
def test_a_bad_download_keeps_the_old_file_and_deletes_its_own(url, tmp_path, path, md5, message):
    target = tmp_path / "a.zip"
    target.write_bytes(b"old")
    with pytest.raises(DataError, match=message):
        fetch(f"{url}/{path}", target, md5)
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_no_connection_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="QUICKSTUDY_DATA"):
        fetch("http://127.0.0.1:9/a.zip", tmp_path / "a.zip", MD5)
    assert not list(tmp_path.iterdir())


def test_arrays_come_back(tmp_path):
    save_cached(tmp_path / "a.npz", images=np.arange(6), names=np.array(["x", "yy"]))
    stored = load_cached(tmp_path / "a.npz")
    assert stored["images"].tolist() == list(range(6))
    assert stored["names"].tolist() == ["x", "yy"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_a_missing_truncated_or_pickled_file_is_no_cache(tmp_path):
    path = tmp_path / "a.npz"
    assert load_cached(path) is None
    save_cached(path, images=np.arange(1000))
    path.write_bytes(path.read_bytes()[:2000])
    assert load_cached(path) is None
    np.savez(path, images=np.array([{"a": 1}], object))
    assert load_cached(path) is None


def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    save_cached(tmp_path / "file" / "a.npz", images=np.arange(3))


def test_the_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("QUICKSTUDY_CACHE")
    assert "quickstudy" in str(cache_folder())


def test_compressed_arrays_come_back_the_same_from_less(tmp_path):
    images = np.full((100, 100), 255, np.uint8)
    save_compressed(tmp_path / "small.npz", images=images)
    found = load_cached(tmp_path / "small.npz")
    assert found is not None
    assert np.array_equal(found["images"], images)
    assert (tmp_path / "small.npz").stat().st_size < images.nbytes / 10
    save_compressed(tmp_path / "small.npz" / "below a file.npz", images=images)
