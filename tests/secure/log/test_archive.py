"""The archive has one spelling; whatever is spelt otherwise is refused, and by our own error alone."""

from __future__ import annotations

import io
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure.log.archive import MAX_NAME, Members, Writer
from secure.log.errors import LogError

FILES = {"README.txt": b"read me", "log/leaves.bin": b"\x00" * 300, "log/empty.txt": b""}


def archive(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in files.items():
        writer.add(name, [content[:1], content[1:]])
    writer.close()
    return file.getvalue()


def foreign(files: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """The same members by Python's own zipfile."""
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w", compression) as made:
        for name, content in files:
            made.writestr(name, content)
    return file.getvalue()


def test_what_was_written_is_read() -> None:
    assert dict(Members(archive(FILES))) == FILES


def test_the_same_members_are_the_same_bytes() -> None:
    assert archive(FILES) == archive(FILES)


def test_any_program_can_open_it() -> None:
    with zipfile.ZipFile(io.BytesIO(archive(FILES))) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == FILES


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        archive(FILES)[:-1],
        archive(FILES) + b"\x00",
        b"\x00" + archive(FILES),
        archive(FILES).replace(b"read me", b"read us"),
        archive(FILES).replace(b"README.txt", b"readme.txt", 1),
        foreign([("a.txt", b"x"), ("a.txt", b"y")]),
        foreign([("../a.txt", b"x")]),
        foreign([("/a.txt", b"x")]),
        foreign([("bomb.txt", bytes(1 << 20))], zipfile.ZIP_DEFLATED),
        foreign([("x" * (MAX_NAME + 1), b"x")]),
    ],
    ids=["nothing", "cut", "longer", "shifted", "changed", "renamed", "twice", "upwards", "absolute", "bomb", "long name"],
)
def test_what_is_spelt_otherwise_is_refused(raw: bytes) -> None:
    if raw == b"":
        raw = b"PK"
    with pytest.raises(LogError) as refused:
        Members(raw)
    assert refused.value.code == "bad_archive"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/../b", "/x", "a//b", "a\\b", "a b", "ü", ".hidden", "a/", "x" * (MAX_NAME + 1)])
def test_a_name_that_leads_elsewhere_is_neither_written_nor_read(name: str) -> None:
    with pytest.raises(LogError):
        archive({name: b""})


def test_nothing_larger_than_the_limit_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secure.log.archive.MAX_BYTES", 100)
    with pytest.raises(LogError):
        archive({"a": bytes(101)})


def test_nothing_larger_than_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = archive(FILES)
    monkeypatch.setattr("secure.log.archive.MAX_BYTES", len(raw) - 1)
    with pytest.raises(LogError):
        Members(raw)


def test_more_members_than_the_limit_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = archive(FILES)
    monkeypatch.setattr("secure.log.archive.MAX_MEMBERS", 2)
    with pytest.raises(LogError):
        Members(raw)


@given(st.binary(max_size=200) | st.tuples(st.integers(0, 400), st.binary(max_size=8), st.integers(0, 8)))
def test_arbitrary_bytes_raise_nothing_but_our_error(data: bytes | tuple[int, bytes, int]) -> None:
    whole = archive(FILES)
    raw = data if isinstance(data, bytes) else whole[: data[0]] + data[1] + whole[data[0] + data[2] :]
    if raw == whole:
        return
    with pytest.raises(LogError):
        Members(b"PK" + raw if isinstance(data, bytes) else raw)
