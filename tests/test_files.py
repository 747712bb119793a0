"""Writing files: whole or not at all, and never in place of what is not a plain file."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from mfverify.certificate import certify
from mfverify.cli import run
from mfverify.errors import ModelError
from mfverify.export.formats import export_model
from mfverify.files import check_writable, is_stream, whole_file, write_whole
from mfverify.model_files import load_model, save_model
from mfverify.models import absorbing
from mfverify.theory.cases.populations import SampledPopulation

Writer = Callable[[Path], None]


def _export_npz(path: Path) -> None:
    export_model(absorbing(), 2, path, "quantecon-npz")


def _export_drn(path: Path) -> None:
    export_model(absorbing(), 2, path, "drn")


def _certificate(path: Path) -> None:
    certify("C3", SampledPopulation((1, 1), 1)).save(path)


WRITERS: dict[str, Writer] = {
    "text": lambda path: write_whole(path, "content\n"),
    "npz": _export_npz,
    "drn": _export_drn,
    "certificate": _certificate,
}


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(value: int) -> Iterator[None]:
    """Another umask for a while."""
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def read_in_the_background(fifo: Path) -> Callable[[], bytes]:
    """Read a FIFO while this process writes to it; the function returned gives what was read."""
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(fifo.read_bytes()))
    thread.start()

    def content() -> bytes:
        thread.join(30)
        return found[0]

    return content


# ---------------------------------------------------------------------------------------------------------- plain files


@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_asks_for(tmp_path: Path, mask: int, expected: int) -> None:
    with umask(mask):
        write_whole(tmp_path / "new", "x")
    assert mode(tmp_path / "new") == expected


@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o666, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, permissions: int) -> None:
    path = tmp_path / "file"
    path.write_text("earlier")
    path.chmod(permissions)
    with umask(0o022):
        write_whole(path, "later")
    assert (path.read_text(), mode(path)) == ("later", permissions)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give a file away")
def test_a_file_that_the_superuser_replaces_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("earlier")
    os.chown(path, 12345, 12346)
    write_whole(path, "later")
    assert (path.stat().st_uid, path.stat().st_gid, path.read_text()) == (12345, 12346, "later")


def test_a_long_name_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_whole(path, "x")
    assert path.read_text() == "x"


def test_what_stood_there_still_stands_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("earlier")
    with pytest.raises(RuntimeError), whole_file(path) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------------------------------------------------- links


@pytest.mark.parametrize("name", WRITERS)
def test_a_link_stays_and_its_target_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link, second = tmp_path / "elsewhere" / "target", tmp_path / "link", tmp_path / "second"
    target.write_text("earlier")
    target.chmod(0o640)
    link.symlink_to("elsewhere/target")
    second.symlink_to(link)
    WRITERS[name](second)
    WRITERS[name](tmp_path / "plain")
    assert link.is_symlink() and second.is_symlink() and not target.is_symlink()
    assert target.read_bytes() == (tmp_path / "plain").read_bytes()
    assert mode(target) == 0o640
    assert list((tmp_path / "elsewhere").iterdir()) == [target]


def test_a_link_to_nothing_is_filled(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("made/later")
    write_whole(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "made" / "later").read_text() == "x"


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    for attempt in (check_writable, lambda path: write_whole(path, "x")):
        with pytest.raises(ModelError, match=r"one: cannot be written \(Too many levels"):
            attempt(tmp_path / "one")
    assert (tmp_path / "one").is_symlink()


# ---------------------------------------------------------------------------------------------------------- streams


@pytest.mark.parametrize("name", WRITERS)
def test_a_pipe_is_written_through(tmp_path: Path, name: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    content = read_in_the_background(fifo)
    WRITERS[name](fifo)
    WRITERS[name](tmp_path / "plain")
    assert content() == (tmp_path / "plain").read_bytes()
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_nothing_reaches_a_pipe_when_the_content_is_not_finished(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    content = read_in_the_background(fifo)
    with pytest.raises(RuntimeError), whole_file(fifo) as stream:
        stream.write(b"half")
        raise RuntimeError
    write_whole(fifo, "whole")
    assert content() == b"whole"


@pytest.fixture
def null_device(tmp_path: Path) -> Path:
    """A character device of our own that takes everything."""
    path = tmp_path / "null"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        path.write_bytes(b"")
    except OSError:
        pytest.skip("only the superuser can make a device, and not on every file system")
    return path


@pytest.mark.parametrize("name", WRITERS)
def test_a_character_device_is_written_through(tmp_path: Path, null_device: Path, name: str) -> None:
    link = tmp_path / "link"
    link.symlink_to(null_device)
    WRITERS[name](link)
    WRITERS[name](null_device)
    assert stat.S_ISCHR(null_device.stat().st_mode) and link.is_symlink()
    assert null_device.stat().st_rdev == os.makedev(1, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "null"]


def test_commands_write_through_a_character_device(null_device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(null_device.parent)
    assert run(["falsify", "C3", "--workers", "1", "--out", "null", "--record", "null"]) == 0
    assert run(["export", "models:absorbing", "--agents", "2", "--to", "drn", "--out", "null"]) == 0
    assert stat.S_ISCHR(null_device.stat().st_mode)


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_standard_output_by_its_name(tmp_path: Path, kind: str) -> None:
    command = [sys.executable, "-m", "mfverify.cli", "export", "models:absorbing", "--agents", "2", "--to", "drn", "--out", "/dev/stdout"]
    _export_drn(tmp_path / "plain")
    if kind == "pipe":
        shown = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout
    else:
        with (tmp_path / "shown").open("wb") as stream:
            stream.write(b"before\n")
            stream.flush()
            subprocess.run(command, stdout=stream, check=True, timeout=120)
        before, _, shown = (tmp_path / "shown").read_bytes().partition(b"\n")
        assert before == b"before"
    content = (tmp_path / "plain").read_bytes()
    assert shown.startswith(content)
    assert shown.removeprefix(content).startswith(b"wrote /dev/stdout")


# ---------------------------------------------------------------------------------------------------------- refused


def test_folders_sockets_and_block_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name, reason in [("folder", "it is a folder"), ("socket", "it is a socket")]:
            for attempt in (check_writable, lambda path: write_whole(path, "x")):
                with pytest.raises(ModelError, match=rf"{name}: cannot be written \({reason}\)"):
                    attempt(tmp_path / name)
    try:
        os.mknod(tmp_path / "block", stat.S_IFBLK | 0o600, os.makedev(240, 0))
    except OSError:
        return
    with pytest.raises(ModelError, match="it is a block device"):
        write_whole(tmp_path / "block", "x")
    assert stat.S_ISBLK((tmp_path / "block").stat().st_mode)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for the superuser")
def test_read_only_files_and_folders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("earlier")
    path.chmod(0o444)
    with pytest.raises(ModelError, match=r"file: cannot be written \(it is read-only\)"):
        write_whole(path, "x")
    tmp_path.chmod(0o555)
    with pytest.raises(ModelError, match="no permission to write into"):
        check_writable(tmp_path / "new")
    tmp_path.chmod(0o755)


def test_a_file_in_the_way_and_a_path_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match=r"--out: .*below: cannot be written \(Not a directory\)"):
        check_writable(tmp_path / "file" / "below", "--out")
    with pytest.raises(ModelError, match="is not a path"):
        check_writable(Path("a\0b"))


def test_a_full_device_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"/dev/full: cannot be written \(No space left on device\)"):
        write_whole(Path("/dev/full"), "x")


def test_reports_are_refused_before_anything_is_computed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.html").mkdir()
    assert run(["verify", "--claims", "C1", "--workers", "1", "--out", str(tmp_path)]) == 2
    assert "report.html: cannot be written (it is a folder)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_store_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "results.sqlite")
    assert run(["verify", "--claims", "C1", "--workers", "1", "--out", str(tmp_path)]) == 2
    assert "results.sqlite: cannot be used as a store of results (it is not a file)" in capsys.readouterr().err
    assert stat.S_ISFIFO((tmp_path / "results.sqlite").stat().st_mode)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    save_model(absorbing(), tmp_path / "m.json")
    assert load_model(tmp_path / "m.json") == absorbing()
    _export_npz(tmp_path / "m.npz")
    assert np.load(tmp_path / "m.npz")["beta"] == 0.5
    assert not is_stream(tmp_path / "m.npz")
