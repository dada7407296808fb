import gzip
import os
import stat
import struct
import zipfile
import zlib

import py7zr
import pytest

from data import archive
from data.errors import IntegrityError, ReadError
from data.readers._artefact import artefacts_of


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


def make_7z(path, members, **options):
    with py7zr.SevenZipFile(path, "w", **options) as target:
        for name, body in members:
            target.writestr(body, name)
    return path


def test_7z_members_are_listed_matched_read_and_extracted(tmp_path):
    body = os.urandom(5000)
    path = make_7z(tmp_path / "a.7z", [("d/x.csv", b"x"), ("d/y.csv", body), ("e.txt", b"")])
    assert archive.list_members(path) == {"d/x.csv": 1, "d/y.csv": 5000, "e.txt": 0}
    assert archive.match_members(path, "d/*.csv") == ["d/x.csv", "d/y.csv"]
    assert archive.read_member(path, "d/y.csv") == body
    assert archive.read_member(path, "e.txt") == b""
    written = archive.extract_members(path, ["d/y.csv", "d/x.csv"], tmp_path / "into")
    assert [file.read_bytes() for file in written] == [body, b"x"]
    archive.check_archive(path)
    with pytest.raises(IntegrityError, match="holds no other"):
        archive.read_member(path, "other")
    with pytest.raises(IntegrityError, match="leaves"):
        archive.extract_members(path, ["../x"], tmp_path / "into")


def rename_7z(path, old, new):
    """Put another name of the same length into an archive, and mend the checksums of its header."""
    raw = path.read_bytes().replace(old.encode("utf-16le"), new.encode("utf-16le"))
    start, size, _ = struct.unpack("<QQI", raw[12:32])
    checksum = struct.pack("<I", zlib.crc32(raw[32 + start : 32 + start + size]))
    first = raw[12:28] + checksum
    path.write_bytes(raw[:8] + struct.pack("<I", zlib.crc32(first)) + first + raw[32:])


@pytest.mark.parametrize("name", ["../evil", "/etcevl", "C:/evil"])
def test_a_7z_member_that_leaves_the_archive_is_refused(tmp_path, name):
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w") as target:
        target.set_encoded_header_mode(False)
        target.writestr(b"x", "aa/evil")
    rename_7z(path, "aa/evil", name)
    with pytest.raises(IntegrityError, match="leaves the archive"):
        archive.read_member(path, name)


def test_7z_guards_are_those_of_a_zip(tmp_path):
    path = make_7z(tmp_path / "a.7z", [("zeros", bytes(4 * 1024**2))])
    with pytest.raises(IntegrityError, match="times its size"):
        archive.read_member(path, "zeros")
    path = make_7z(tmp_path / "b.7z", [("m", b"12345")])
    with pytest.raises(IntegrityError, match="over the 4 allowed"):
        archive.list_members(path, member_max=4)
    with pytest.raises(IntegrityError, match="more than the 4 allowed"):
        archive.list_members(path, total_max=4)
    (tmp_path / "link").symlink_to("/etc/passwd")
    with py7zr.SevenZipFile(tmp_path / "c.7z", "w") as target:
        target.write(tmp_path / "link", "link")
    with pytest.raises(IntegrityError, match="link or a device"):
        archive.list_members(tmp_path / "c.7z")


@pytest.mark.parametrize("header", [False, True])
def test_an_encrypted_7z_is_refused(tmp_path, header):
    members = [("m", b"12345")]
    path = make_7z(tmp_path / "a.7z", members, password="word", header_encryption=header)
    with pytest.raises(IntegrityError, match=r"a\.7z is encrypted"):
        archive.read_member(path, "m")


@pytest.mark.parametrize("damage", ["cut", "head", "body"])
def test_a_damaged_7z_is_one_sentence(tmp_path, damage):
    path = make_7z(tmp_path / "a.7z", [("m", os.urandom(4000))])
    raw = bytearray(path.read_bytes())
    raw[{"cut": 0, "head": 40, "body": 2000}[damage]] ^= 0xFF if damage != "cut" else 0
    path.write_bytes(raw[:2000] if damage == "cut" else raw)
    with pytest.raises(archive.DamagedError, match=r"^a\.7z is damaged: [^\n]+\.$"):
        archive.read_member(path, "m")


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.csv.tar.gz", "a.rar"])
def test_archives_of_other_kinds_are_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"x")
    for members in ([], ["m"]):
        with pytest.raises(ReadError, match="of a kind that is not read here"):
            artefacts_of(path, members)


def test_a_table_is_read_out_of_a_7z(tmp_path):
    path = make_7z(tmp_path / "a.7z", [("d/x.csv", b"a\n1\n"), ("d/y.csv", b"a\n2\n")])
    artefacts = artefacts_of(path, ["d/*.csv"])
    assert [artefact.read_bytes() for artefact in artefacts] == [b"a\n1\n", b"a\n2\n"]
