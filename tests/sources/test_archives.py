"""Archives and saved images: each member like a file; what is wrong with one is a gap, and the others still count."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.cli.app import run
from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.rules.fakes import FAKES
from hardenctl.rules.secrets import RULES
from hardenctl.sources import archives, open_source
from hardenctl.sources.archives import DEEPEST, Archive, look_into

assert RULES
TOKEN = FAKES["secret-github-token"]()
LEAK = f'TOKEN = "{TOKEN}"\n'.encode()
Files = Mapping[str, bytes]


def tar(files: Files, mode: str = "w") -> bytes:
    """A tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def inside(data: bytes, name: str = "a.bin") -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    """What is in an archive, and the gaps."""
    found, gaps = {}, []
    for each in look_into(Archive(Provenance(name), len(data), lambda: io.BytesIO(data)), Counter()):
        if isinstance(each, Gap):
            gaps.append((each.path, each.reason))
        else:
            found[each.path] = each.data
    return found, gaps


def v7(files: Files) -> bytes:
    """A tar as it was before 1988: without a mark."""
    data = bytearray(tar(files))
    for at in range(0, len(data), 512):
        if data[at + 257 : at + 262] == b"ustar":
            data[at + 257 : at + 345], data[at + 148 : at + 156] = bytes(88), b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)


def commented(comment: bytes) -> bytes:
    """A zip that says something."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.comment = comment
    return out.getvalue()


def members_only() -> bytes:
    """A zip without its directory."""
    data = zipped({"x": LEAK})
    return data[: data.index(b"PK\x01\x02")]


def with_sizes(data: bytes, crc: int, packed: int, size: int) -> bytes:
    """A zip of one member that says this of it, in both places."""
    changed = bytearray(data)
    for at in (14, data.index(b"PK\x01\x02") + 16):
        struct.pack_into("<III", changed, at, crc, packed, size)
    return bytes(changed)


def shorter_than_it_is() -> bytes:
    """A zip whose member says to end before its leak."""
    data = zipped({"x": b"a = 1\n" + LEAK})
    return with_sizes(data, zlib.crc32(b"a = 1\n"), data.index(b"PK\x01\x02") - 31, 6)


def longer_than_it_is() -> bytes:
    """A zip whose member says to be so long that another one is in it."""
    data, hidden = zipped({"x": b"a = 1\n"}), members_only()
    at = data.index(b"PK\x01\x02")
    both = bytearray(data[:at] + hidden + data[at:])
    struct.pack_into("<I", both, len(both) - 6, at + len(hidden))
    return with_sizes(bytes(both), zlib.crc32(b"a = 1\n"), at - 31 + len(hidden), 6)


FORMATS = [
    pytest.param(lambda: tar({"d/x.py": LEAK}), "a.bin!/d/x.py", id="tar"),
    pytest.param(lambda: tar({"d/x.py": LEAK}, "w:gz"), "a.bin!/d/x.py", id="tar.gz"),
    pytest.param(lambda: tar({"d/x.py": LEAK}, "w:bz2"), "a.bin!/d/x.py", id="tar.bz2"),
    pytest.param(lambda: tar({"d/x.py": LEAK}, "w:xz"), "a.bin!/d/x.py", id="tar.xz"),
    pytest.param(lambda: zipped({"d/x.py": LEAK}), "a.bin!/d/x.py", id="zip"),
    pytest.param(lambda: zipped({"d/x.py": LEAK}, zipfile.ZIP_STORED), "a.bin!/d/x.py", id="zip-stored"),
    pytest.param(lambda: zipped({"d/x.py": LEAK}, zipfile.ZIP_LZMA), "a.bin!/d/x.py", id="zip-lzma"),
    pytest.param(lambda: gzip.compress(LEAK), "a.bin!/a", id="gz"),
    pytest.param(lambda: bz2.compress(LEAK), "a.bin!/a", id="bz2"),
    pytest.param(lambda: lzma.compress(LEAK), "a.bin!/a", id="xz"),
    pytest.param(lambda: lzma.compress(LEAK, lzma.FORMAT_ALONE), "a.bin!/a", id="lzma"),
    pytest.param(lambda: zipped({"i.jar": tar({"x": LEAK})}), "a.bin!/i.jar!/x", id="tar-in-a-zip"),
    pytest.param(lambda: v7({"d/x.py": LEAK}), "a.bin!/d/x.py", id="tar-of-1979"),
    pytest.param(lambda: gzip.compress(v7({"x": LEAK})), "a.bin!/x", id="tar-of-1979.gz"),
    pytest.param(lambda: lzma.compress(b"1\n") + bytes(90_000) + lzma.compress(LEAK), "a.bin!/a", id="padded-xz"),
    pytest.param(lambda: bz2.compress(b"1\n") + bz2.compress(LEAK), "a.bin!/a", id="two-bz2"),
    pytest.param(lambda: b"#!/usr/bin/env python3\n" + zipped({"x": LEAK}), "a.bin!/x", id="zip-that-runs"),
    pytest.param(lambda: LEAK + zipped({"x": b"1"}), "a.bin!/(from byte 0)", id="text-before-a-zip"),
    pytest.param(lambda: zipped({"x": LEAK}) + zipped({"y": b"1"}), "a.bin!/(from byte 0)!/x", id="zip-before-a-zip"),
    pytest.param(lambda: commented(LEAK), "a.bin!/(comment)", id="zip-comment"),
    pytest.param(
        lambda: zipped({"i.pyz": b"#!python\n" + zipped({"x": LEAK})}), "a.bin!/i.pyz!/x", id="zip-that-runs-in-a-zip"
    ),
    pytest.param(lambda: tar({"i.zip": zipped({"x": LEAK})}, "w:gz"), "a.bin!/i.zip!/x", id="zip-in-a-stream"),
    pytest.param(lambda: tar({"i": gzip.compress(zipped({"x": LEAK}))}), "a.bin!/i!/i!/x", id="three-deep"),
    pytest.param(lambda: tar({"a": b"1\n"}) + tar({"x": LEAK}), "a.bin!/x", id="two-tars-in-a-row"),
    pytest.param(lambda: gzip.compress(b"x = 1\n") + gzip.compress(LEAK), "a.bin!/a", id="two-gz-in-a-row"),
    pytest.param(lambda: tar({"../../etc/x.py": LEAK}), "a.bin!/../../etc/x.py", id="dots-are-a-label"),
    pytest.param(lambda: tar({"/etc/x.py": LEAK}), "a.bin!/etc/x.py", id="absolute-is-a-label"),
    pytest.param(lambda: zipped({"d\\x.py": LEAK}), "a.bin!/d/x.py", id="backslash"),
]


@pytest.mark.parametrize(("make", "path"), FORMATS)
def test_every_format(make: Callable[[], bytes], path: str) -> None:
    """The member has its archive's path before its own."""
    found, gaps = inside(make())
    assert LEAK in found[path]
    assert gaps == []


def deep(levels: int) -> bytes:
    """Zips within each other."""
    data = LEAK
    for _ in range(levels):
        data = zipped({"x": data})
    return data


def unknown_kind() -> bytes:
    """A tar with a member of a kind that nobody has defined: a file to every program that unpacks it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        info = tarfile.TarInfo("d/x.py")
        info.type, info.size = b"Z", len(LEAK)
        packed.addfile(info, io.BytesIO(LEAK))
    return out.getvalue()


def test_a_member_of_an_unknown_kind() -> None:
    """It is looked at."""
    assert inside(unknown_kind())[0] == {"a.bin!/d/x.py": LEAK}


def links() -> bytes:
    """A tar of everything that is no file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"x{kind.decode()}")
            info.type, info.linkname = kind, "/etc/passwd"
            packed.addfile(info)
    return out.getvalue()


def encrypted() -> bytes:
    """A zip that says its member is encrypted."""
    data = bytearray(zipped({"x": LEAK}))
    data[6] |= 1
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def long_name() -> bytes:
    """A tar whose next name is said to be very long."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    return info.tobuf(tarfile.GNU_FORMAT)


def torn_in_the_middle() -> bytes:
    """A tar whose second header is nonsense."""
    data = bytearray(tar({"a": b"1\n", "x": LEAK}))
    data[1024:1100] = b"\xff" * 76
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "path", "reason"),
    [
        pytest.param(lambda: tar({"x": LEAK}, "w:gz")[:60], "a.bin", "could not be read to its end", id="torn-gz"),
        pytest.param(lambda: tar({"x": LEAK})[:700], "a.bin", "could not be read to its end", id="torn-tar"),
        pytest.param(torn_in_the_middle, "a.bin", "could not be read to its end", id="broken-header"),
        pytest.param(lambda: zipped({"x": LEAK})[:-30], "a.bin", "could not be read to its end", id="torn-zip"),
        pytest.param(lambda: b"just text", "a.bin", "can be looked into", id="no-archive"),
        pytest.param(lambda: b"!<arch>\n1\0", "a.bin", "can be looked into", id="deb"),
        pytest.param(lambda: members_only() + zipped({"a": b"1"}), "a.bin!/(from byte 0)", "BadZipFile", id="local"),
        pytest.param(lambda: zipped({"a": b"1"}) + members_only(), "a.bin!/(from byte 103)", "BadZipFile", id="behind"),
        pytest.param(shorter_than_it_is, "a.bin!/x", "BadZipFile", id="zip-says-shorter"),
        pytest.param(longer_than_it_is, "a.bin!/x", "more is packed", id="zip-says-longer"),
        pytest.param(lambda: lzma.compress(b"1") + LEAK, "a.bin", "read to its end: LZMAError", id="behind-xz"),
        pytest.param(lambda: bz2.compress(b"1") + LEAK, "a.bin", "read to its end: OSError", id="behind-bz2"),
        pytest.param(lambda: gzip.compress(b"1") + LEAK, "a.bin", "read to its end: BadGzipFile", id="behind-gz"),
        pytest.param(lambda: lzma.compress(LEAK)[:-9], "a.bin", "read to its end: EOFError", id="torn-xz"),
        pytest.param(encrypted, "a.bin!/x", "encrypted", id="encrypted"),
        pytest.param(lambda: deep(DEEPEST + 1), "a.bin" + "!/x" * DEEPEST, "not looked into", id="deep"),
        pytest.param(lambda: zipped({"x": b"a" * 90_000_000}), "a.bin!/x", "larger than 50 MB", id="large-member"),
        pytest.param(lambda: gzip.compress(b"a" * 90_000_000), "a.bin!/a", "larger than 50 MB", id="gz-bomb"),
        pytest.param(
            lambda: zipped({str(number): b"a" * 40_000_000 for number in range(4)}),
            "a.bin",
            "times its size",
            id="bomb",
        ),
        pytest.param(lambda: tar({"l": b"\x28\xb5\x2f\xfd\0\0"}), "a.bin!/l", "can be looked into", id="zstd-layer"),
        pytest.param(lambda: zipped({"x.7z": b"7z\xbc\xaf\x27\x1c\0"}), "a.bin!/x.7z", "can be looked into", id="7z"),
        pytest.param(
            lambda: tar({"i.tgz": gzip.compress(b"no tar\1\0" * 99)}),
            "a.bin!/i.tgz!/i.tar",
            "can be looked into",
            id="no-tar",
        ),
        pytest.param(long_name, "a.bin", "could not be read to its end", id="long-name"),
        pytest.param(
            lambda: tar({"i.zip": zipped({"x": LEAK})[:-30]}), "a.bin!/i.zip", "not be unpacked", id="torn-inside"
        ),
    ],
)
def test_what_cannot_be_looked_at_is_a_gap(make: Callable[[], bytes], path: str, reason: str) -> None:
    """Never silence, never an error."""
    _, gaps = inside(make())
    assert [each for each, why in gaps if reason in why][:1] == [path]


def test_a_torn_member_does_not_hide_the_others() -> None:
    """What is whole is looked at."""
    found, gaps = inside(tar({"i.zip": b"PK\x03\x04 torn", "x": LEAK}))
    assert found == {"a.bin!/x": LEAK}
    assert len(gaps) == 1


def test_what_is_no_file_holds_nothing() -> None:
    """Links, devices and folders: nothing is read for them, here or outside."""
    assert inside(links()) == ({}, [])


def test_what_can_hold_no_text_is_counted() -> None:
    """By its name, or by what it begins with."""
    skipped: Counter[str] = Counter()
    data = zipped({"a.png": LEAK, "b": b"\0\1\2", "c.pyc": b"", "x": LEAK})
    found = list(look_into(Archive(Provenance("a.zip"), len(data), lambda: io.BytesIO(data)), skipped))
    assert [each.path for each in found] == ["a.zip!/x"]
    assert skipped == {"binary": 3}


def test_members_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many, and no more."""
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    found, gaps = inside(tar({str(number): b"1\n" for number in range(9)}))
    assert len(found) == 3
    assert "more than 3 members" in gaps[0][1]


@given(data=st.data())
def test_damage_is_never_an_error_nor_silence(data: st.DataObject) -> None:
    """Any byte changed, any end cut off: the leak is found, or a gap says what was not looked at."""
    whole = data.draw(st.sampled_from([each.values[0]() for each in FORMATS[:12]]))  # type: ignore[operator]
    damaged = bytearray(whole)
    if data.draw(st.booleans()):
        damaged = damaged[: data.draw(st.integers(1, len(whole)))]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    if not archives.is_packed(bytes(damaged[:512])):
        return
    skipped: Counter[str] = Counter()
    content = bytes(damaged)
    found = list(look_into(Archive(Provenance("a.bin"), len(content), lambda: io.BytesIO(content)), skipped))
    assert found or skipped  # blobs and gaps, or a name that now says that it is binary


@given(
    path=st.lists(st.sampled_from(["tar", "gz", "zip", "xz"]), min_size=1, max_size=DEEPEST - 1),
    line=st.integers(0, 30),
)
def test_a_token_in_any_nesting(path: list[str], line: int) -> None:
    """It is found at its very member."""
    data = b"x = 1\n" * line + LEAK
    wrap: dict[str, Callable[[bytes], bytes]] = {
        "tar": lambda inner: tar({"m": inner}),
        "zip": lambda inner: zipped({"m": inner}),
        "gz": gzip.compress,
        "xz": lzma.compress,
    }
    packed = data
    for each in path:
        packed = wrap[each](packed)
    found, gaps = inside(packed)
    assert gaps == []
    assert list(found.values()) == [data]


def image() -> bytes:
    """A saved image: a file of one layer that the next one deletes, and a token in the configuration."""
    layers = {"blobs/sha256/aaa": tar({"app/.env": LEAK}), "blobs/sha256/bbb": tar({"app/.wh..env": b""}, "w:gz")}
    config = {"config": {"Env": [f"API_TOKEN={TOKEN}"]}, "history": [{"created_by": "RUN make"}]}
    manifest = [{"Config": "blobs/sha256/ccc", "Layers": list(layers)}]
    return tar(
        {**layers, "blobs/sha256/ccc": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    )


def findings(capsys: Any) -> set[tuple[str, str]]:
    """Rule and path of each finding."""
    return {(each["rule"], each["path"]) for each in json.loads(capsys.readouterr().out)["findings"]}


def test_a_saved_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """What a later layer deletes is still there, and so is what the configuration says."""
    (tmp_path / "image.tar").write_bytes(image())
    monkeypatch.chdir(tmp_path)
    assert run(["audit", "--format", "json"]) == 0
    assert "secret-github-token" not in {rule for rule, _ in findings(capsys)}
    assert run(["audit", "--archives", "--format", "json"]) == 1
    assert findings(capsys) >= {
        ("secret-github-token", "image.tar!/blobs/sha256/aaa!/app/.env"),
        ("secret-github-token", "image.tar!/blobs/sha256/ccc"),
    }
    assert run(["audit", "--archives", "image.tar", "--format", "json"]) == 1
    assert len(findings(capsys)) == 2


def test_standard_input() -> None:
    """`docker save shop | hardenctl audit --archives -`."""
    done = subprocess.run(
        [sys.executable, "-m", "hardenctl", "audit", "--archives", "--format", "json", "-"],
        input=image(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert {each["path"] for each in json.loads(done.stdout)["findings"]} == {
        "stdin!/blobs/sha256/aaa!/app/.env",
        "stdin!/blobs/sha256/ccc",
    }
    assert TOKEN.encode() not in done.stdout + done.stderr


def test_index_range_and_history(
    make_repository: Callable[..., Any], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A staged archive, one that a range added, and one that was deleted long ago."""
    repository = make_repository()
    monkeypatch.chdir(repository.root)
    (repository.root / "old.whl").write_bytes(zipped({"x.py": LEAK}))
    repository.git("add", ".")
    assert run(["audit", "--staged", "--archives", "--format", "json"]) == 1
    assert findings(capsys) == {("secret-github-token", "old.whl!/x.py")}
    (repository.root / "dump.tar.gz.1").write_bytes(gzip.compress(tar({"x.py": LEAK})))
    for arguments in ([], ["--staged"]):
        repository.git("add", "dump.tar.gz.1")
        assert run(["audit", "--archives", "--format", "json", *arguments]) == 1
        assert ("secret-github-token", "dump.tar.gz.1!/x.py") in findings(capsys)
    repository.git("rm", "-qf", "dump.tar.gz.1")
    repository.git("commit", "-qm", "one")
    repository.git("rm", "-q", "old.whl")
    (repository.root / "a.txt").write_text("1\n")
    repository.git("add", ".")
    repository.git("commit", "-qm", "two")
    assert run(["audit", "--archives", "--format", "json", "--select", "secret"]) == 0
    assert findings(capsys) == set()
    for arguments in (["--history"], ["--since", "HEAD~1..HEAD~1"], ["--all-objects"]):
        code = run(["audit", "--archives", "--format", "json", "--select", "secret", *arguments])
        result = json.loads(capsys.readouterr().out)
        leaks = {each["path"]: each for each in result["findings"]}
        assert (code, set(leaks)) == ((1, {"old.whl!/x.py"}) if "--since" not in arguments else (0, set()))
        if leaks:
            assert leaks["old.whl!/x.py"]["commit"] == repository.git("rev-parse", "HEAD~1").strip()


def test_a_real_wheel_says_nothing(tmp_path: Path) -> None:
    """Our own, built by the real builder."""
    root = Path(__file__).resolve().parents[2]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=root, check=True, capture_output=True,
    )  # fmt: skip
    source = open_source([tmp_path], archives=True)
    members = [each for each in source.blobs() if isinstance(each, Blob)]
    assert [each for each in source.blobs() if isinstance(each, Gap)] == []
    assert any(each.path.endswith("!/hardenctl/sources/archives.py") for each in members)
