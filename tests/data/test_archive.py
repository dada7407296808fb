import gzip
import os
import stat
import struct
import zipfile

import pytest

from data import archive
from data.errors import IntegrityError


def make_zip(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as target:
        for info, body in members:
            target.writestr(info, body)
    return path


def special(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def test_honest_members_are_listed_matched_and_read(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("d/x.csv", b"x"), ("d/y.csv", b"yy"), ("d/", b"")])
    assert archive.list_members(path) == {"d/x.csv": 1, "d/y.csv": 2}
    assert archive.match_members(path, "d/*.csv") == ["d/x.csv", "d/y.csv"]
    assert archive.match_members(path, "d/y.csv") == ["d/y.csv"]
    assert archive.match_members(path, "nothing") == []
    assert archive.read_member(path, "d/y.csv") == b"yy"
    assert archive.extract_members(path, ["d/x.csv"], tmp_path)[0].read_bytes() == b"x"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../evil", "leaves"),
        ("a/../../evil", "leaves"),
        ("/etc/evil", "leaves"),
        ("C:/evil", "leaves"),
        ("a\\..\\evil", "leaves"),
    ],
)
def test_a_member_that_leaves_the_archive_is_refused(tmp_path, name, why):
    path = make_zip(tmp_path / "a.zip", [(zipfile.ZipInfo("placeholder"), b"x")])
    raw = path.read_bytes().replace(b"placeholder", name.encode().ljust(11, b"x")[:11])
    if len(name) <= 11:
        path.write_bytes(raw)
    else:
        path = make_zip(tmp_path / "b.zip", [(name, b"x")])
    with pytest.raises(IntegrityError, match=why):
        archive.list_members(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    path = make_zip(tmp_path / "a.zip", [(special("link", kind | 0o777), b"/etc/passwd")])
    with pytest.raises(IntegrityError, match="link or a device"):
        archive.read_member(path, "link")


def test_ordinary_unix_files_and_folders_pass(tmp_path):
    members = [
        (special("file", stat.S_IFREG | 0o644), b"x"),
        (special("folder/", stat.S_IFDIR | 0o755), b""),
        (special("bare", 0), b"y"),
    ]
    path = make_zip(tmp_path / "a.zip", members)
    assert archive.list_members(path) == {"file": 1, "bare": 1}


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("zeros", bytes(20 * 1024**2))])
    with pytest.raises(IntegrityError, match="times its size"):
        archive.read_member(path, "zeros")


def test_a_small_member_may_pack_well(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("zeros", bytes(1024**2))])
    assert len(archive.read_member(path, "zeros")) == 1024**2


def test_caps_hold_for_one_member_and_for_all(tmp_path):
    path = make_zip(tmp_path / "a.zip", [(f"m{n}", os.urandom(1000)) for n in range(5)])
    with pytest.raises(IntegrityError, match="over the 999 allowed"):
        archive.list_members(path, member_max=999)
    with pytest.raises(IntegrityError, match="more than the 4,999 allowed"):
        archive.list_members(path, total_max=4999)
    assert len(archive.list_members(path, member_max=1000, total_max=5000)) == 5


def test_a_header_that_lies_about_the_size_gains_nothing(tmp_path):
    body = os.urandom(5000)
    path = make_zip(tmp_path / "a.zip", [("m", body)], zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 5000), struct.pack("<I", 100)))
    with pytest.raises(IntegrityError):
        archive.read_member(path, "m")


def test_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = make_zip(tmp_path / "a.zip", [("m", b"1"), ("m", b"2")])
    with pytest.raises(IntegrityError, match="twice"):
        archive.list_members(path)


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty"])
def test_a_damaged_archive_is_one_sentence(tmp_path, damage):
    path = make_zip(tmp_path / "a.zip", [("m", os.urandom(4000))])
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[2000] ^= 0xFF
    path.write_bytes(
        {"cut": raw[:2000], "flip": raw, "text": b"<html>moved</html>", "empty": b""}[damage]
    )
    with pytest.raises(IntegrityError, match=r"a\.zip is damaged"):
        archive.read_member(path, "m")


def test_a_missing_member_is_named(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("m", b"1")])
    with pytest.raises(IntegrityError, match="holds no other"):
        archive.read_member(path, "other")


def test_extraction_stays_in_its_folder(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("m", b"1")])
    with pytest.raises(IntegrityError, match="leaves"):
        archive.extract_members(path, ["../m"], tmp_path / "into")


def test_gzip_is_read_with_caps_on_size_and_ratio(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert archive.read_gzip(path) == b"a,b\n1,2\n"
    with pytest.raises(IntegrityError, match="more than 4 bytes"):
        archive.read_gzip(path, max_bytes=4)
    path.write_bytes(gzip.compress(bytes(20 * 1024**2)))
    with pytest.raises(IntegrityError, match="unpacks to more"):
        archive.read_gzip(path)
    path.write_bytes(gzip.compress(os.urandom(4000))[:2000])
    with pytest.raises(IntegrityError, match="damaged"):
        archive.read_gzip(path)
