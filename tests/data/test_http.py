"""One file behind one URL: where it leads, what it must not be, and what must not be told of it."""

import io
import json
import logging
import ssl
import zipfile

import httpx
import numpy as np
import pytest

from data.access import Retry
from data.access._client import asked
from data.access._retry import tls_refusal
from data.access._secrets import fill, hide, mark
from data.access.package import _reason
from data.catalogue import Lock
from data.errors import IntegrityError, PassingPullError, PullError
from data.pull import pull
from tests.data.thing import thing
from tests.upstream import Request, Response, conditional, running
from tests.upstream import faults as upstream_faults

NOISE = np.random.default_rng(3).bytes(9000)


def packed(name="a.csv", body=NOISE):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(name, body)
    return made.getvalue()


ZIP = packed()


@pytest.fixture
def upstream():
    with running() as server:
        yield server


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def fetch(cache, pauses):
    retry = Retry(attempts=3, sleep=pauses.append, connect_s=1, read_s=0.2)

    def fetch(url, *, fresh=True, **more):
        options = {"cache_dir": cache, "retry": retry, "require_fresh": fresh}
        return pull(source(url, **more), Lock(), **options)

    return fetch


def source(url, **more):
    return thing({"kind": "http", "url": url} | more)


def to(place):
    return Response(status=302, headers={"Location": place})


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ({"/a": to("/b"), "/b": to("/a")}, "redirects in a circle, through"),
        ({f"/{n}": to(f"/{n + 1}") for n in range(9)} | {"/a": to("/0")}, "more than 5 times"),
        ({"/a": to("ftp://x/y")}, "redirects to a ftp: address, which is not followed"),
        ({"/a": to("file:///etc/passwd")}, "redirects to a file: address"),
        ({"/a": to("http://x:port/y")}, "redirects to something that is no address"),
        ({"/a": Response(status=302)}, "answered 302 Found"),
    ],
)
def test_redirects_that_lead_nowhere_are_one_sentence(upstream, fetch, pauses, routes, says):
    upstream.routes |= routes
    with pytest.raises(PullError, match=says) as caught:
        fetch(upstream.url("/a"))
    assert "\n" not in caught.value.message
    assert pauses == []


def test_whom_a_server_redirects_to_does_not_get_the_headers(upstream, fetch, monkeypatch):
    monkeypatch.setenv("THING_WORD", "open-sesame")
    with running() as other:
        upstream.routes |= {"/a": to("/b"), "/b": to(other.url("/c.zip"))}
        other.routes["/c.zip"] = conditional(ZIP)
        more = {"filename": "c.zip", "headers": {"Authorization": "Bearer ${THING_WORD}"}}
        assert fetch(upstream.url("/a"), **more).path.read_bytes() == ZIP
        sent = [request.headers.get("authorization") for request in upstream.requests]
        assert sent == ["Bearer open-sesame"] * 2
        assert "authorization" not in other.requests[0].headers


def test_a_redirect_from_https_to_http_is_not_followed():
    transport = httpx.MockTransport(
        lambda _: httpx.Response(302, headers={"Location": "http://a/b"})
    )
    with (
        httpx.Client(transport=transport) as client,
        pytest.raises(PullError, match="redirects from https to http"),
        asked(client, "https://a/x.csv", {}),
    ):
        pass


def refused(cause):
    """Wrap an error of TLS as the clients do."""
    error = httpx.ConnectError("no connection")
    error.__cause__ = OSError(1, cause)
    return error


def test_a_certificate_that_is_not_trusted_is_named(pauses):
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    untrusted.verify_message = "self-signed certificate"
    retry = Retry(sleep=pauses.append)

    def attempt():
        raise refused(untrusted)

    with pytest.raises(PullError, match="not trusted: self-signed certificate") as caught:
        retry.run("https://a/x.csv", attempt)
    assert "SSL_CERT_FILE" in caught.value.hint
    assert pauses == []


def test_a_server_that_hangs_up_before_it_is_safe_is_tried_again():
    assert tls_refusal("x", refused(ssl.SSLEOFError(8, "EOF"))) is None
    assert tls_refusal("x", httpx.ConnectError("no route")) is None


@pytest.mark.slow
def test_tls_that_is_none_is_named_and_not_repeated(fetch, pauses):
    with (
        upstream_faults.tls_refusal() as url,
        pytest.raises(PullError, match=r"refuses a safe connection \(TLS\)"),
    ):
        fetch(f"{url}/a.csv")
    assert pauses == []


@pytest.mark.parametrize(
    "spoilt",
    [
        Response(b"<!doctype html><p>moved", headers={"Content-Type": "text/html"}),
        Response(b""),
        Response(ZIP[:4000]),
        Response(ZIP[:3000] + b"x" + ZIP[3001:]),
        Response(ZIP, length=len(ZIP) + 100),
        Response(ZIP, length=len(ZIP) - 100),
    ],
    ids=["page", "empty", "cut", "altered", "length too long", "length too short"],
)
def test_a_damaged_file_is_fetched_anew_and_never_kept(upstream, fetch, pauses, cache, spoilt):
    upstream.routes["/a.zip"] = [spoilt, Response(ZIP, headers={"ETag": '"v1"'})]
    url = upstream.url("/a.zip")
    good = fetch(url)
    assert (good.path.read_bytes(), len(pauses)) == (ZIP, 1)
    upstream.routes["/a.zip"] = spoilt
    stale = fetch(url, fresh=False)
    assert (stale.is_stale, stale.path) == (True, good.path)
    with pytest.raises(PullError, match="failed 3 times") as caught:
        fetch(url)
    assert "\n" not in caught.value.message
    assert len(list((cache / "objects").rglob("*.zip"))) == 1
    assert not [r for r in upstream.requests if "range" in r.headers and not spoilt.length]


def test_what_is_wrong_with_the_file_is_no_fault_of_the_network(upstream, fetch):
    upstream.routes["/a.zip"] = Response(b"<html>")
    with pytest.raises(PullError, match="answered a web page where a file is due") as caught:
        fetch(upstream.url("/a.zip"))
    assert not isinstance(caught.value, PassingPullError)
    assert "browser" in caught.value.hint


def test_a_hostile_archive_is_not_asked_for_again(upstream, fetch, pauses):
    upstream.routes["/a.zip"] = Response(packed("../a.csv"))
    with pytest.raises(IntegrityError, match="leaves the archive"):
        fetch(upstream.url("/a.zip"))
    assert pauses == []


@pytest.mark.slow
def test_a_server_that_stalls_is_left_after_a_while(upstream, fetch, pauses):
    upstream.routes["/a.zip"] = [
        Response(ZIP, wait_s=0.5),
        Response(ZIP, stall_s=0.5),
        Response(ZIP),
    ]
    assert fetch(upstream.url("/a.zip")).path.read_bytes() == ZIP
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("said", "is_joined"), [({"ETag": '"v2"'}, False), ({"ETag": '"v1"'}, True), ({}, True)]
)
def test_a_range_of_another_file_is_not_joined(upstream, fetch, said, is_joined):
    """A server that ignores If-Range answers with the rest of whatever it holds now."""
    # Only whole chunks of a download are kept.
    old, new = NOISE * 60, NOISE[::-1] * 60

    def rest(request: Request) -> Response:
        start = int(request.headers["range"].removeprefix("bytes=").rstrip("-"))
        held = old if is_joined else new
        span = f"bytes {start}-{len(held) - 1}/{len(held)}"
        return Response(held[start:], 206, said | {"Content-Range": span})

    cut = Response(old, headers={"ETag": '"v1"'}, cut=400_000)
    upstream.routes["/a.bin"] = [cut, rest, Response(new)]
    assert fetch(upstream.url("/a.bin")).path.read_bytes() == (old if is_joined else new)


def test_a_variable_that_is_not_set_is_named(upstream, fetch, monkeypatch):
    monkeypatch.delenv("THING_WORD", raising=False)
    for more in ({"headers": {"X-Api-Key": "${THING_WORD}"}}, {}):
        url = upstream.url("/a.csv") + ("" if more else "?key=${THING_WORD}")
        with pytest.raises(PullError, match="variable THING_WORD is not set"):
            fetch(url, **more)
    monkeypatch.setenv("THING_WORD", "two\nlines")
    with pytest.raises(PullError, match="THING_WORD holds characters"):
        fetch(upstream.url("/a.csv?key=${THING_WORD}"))
    assert not upstream.requests


def test_no_secret_reaches_an_error_a_file_or_a_log(upstream, fetch, cache, monkeypatch, caplog):
    secret = "s3cr3t/w ord"
    monkeypatch.setenv("THING_WORD", secret)
    caplog.set_level(logging.DEBUG)
    forms = [secret, "s3cr3t%2Fw", "s3cr3t/w%20ord", "literal-77"]
    url = upstream.url("/a.csv?token=${THING_WORD}&signature=literal-77")
    header = {"headers": {"X-Api-Key": "${THING_WORD}"}}
    upstream.routes["/a.csv"] = [
        Response(b"a\n1\n", headers={"ETag": '"v1"'}, cut=2),
        Response(status=500),
    ]
    said = []
    with pytest.raises(PullError) as caught:
        fetch(url, **header)
    said.append(str(caught.value))
    upstream.routes["/a.csv"] = to(f"ftp://u:{secret}@x/?key={secret}")
    with pytest.raises(PullError) as caught:
        fetch(url, **header)
    error = caught.value
    while error is not None:
        said.append(str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    left = [path.read_text() for path in cache.rglob("*") if path.is_file()]
    upstream.routes["/a.csv"] = Response(b"a\n1\n")
    pulled = fetch(url, **header)
    assert upstream.requests[-1].query == {"token": secret, "signature": "literal-77"}
    said += [repr(pulled), *left, (cache / "index" / "thing.json").read_text(), caplog.text]
    assert "HTTP Request" in caplog.text
    for form in forms:
        assert not [text for text in said if form in text]
    again = fetch(url, **header)
    assert again.sha256 == pulled.sha256


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://me:word@host/simple/x failed", "https://host/simple/x failed"),
        ("https://token@host/x", "https://host/x"),
        ("abfs://box@account.dfs/x", "abfs://box@account.dfs/x"),
        ("ftp://me:w@rd@host/x", "ftp://host/x"),
        ("see http://x/?a=1&api_key=77&b=2.", "see http://x/?a=1&api_key=***&b=2."),
        ("http://x/?X-Amz-Signature=abc&q=1", "http://x/?X-Amz-Signature=***&q=1"),
        ("http://x/?token=abc.", "http://x/?token=***."),
        ("sent Authorization: Bearer abcdefgh1", "sent Authorization: Bearer ***"),
        ("a plain sentence of basic words", "a plain sentence of basic words"),
    ],
)
def test_secrets_are_hidden_and_words_are_not(text, hidden):
    assert hide(text) == hidden


def test_what_pip_says_of_its_index_is_told_without_its_password():
    output = "WARNING: slow\nERROR: No matching distribution at https://me:word@depot/simple/x\n"
    assert _reason(output) == ("No matching distribution at https://depot/simple/x", False)


def test_what_is_written_down_tells_other_secrets_apart():
    assert mark("http://x/y") == "http://x/y"
    one, two = mark("http://x/?token=1a"), mark("http://x/?token=2b")
    assert one != two
    assert "1a" not in one.partition(" ")[0]


def test_variables_that_speak_of_a_key_are_hidden_and_others_told_by_name(monkeypatch):
    monkeypatch.setenv("SOME_STORE_KEY", "abcdefgh77")
    monkeypatch.setenv("THING_HOST", "depot.example")
    assert hide("it said abcdefgh77") == "it said ${SOME_STORE_KEY}"
    assert fill("http://${THING_HOST}/x") == "http://depot.example/x"
    assert hide("depot.example is down") == "${THING_HOST} is down"


def test_an_entry_of_the_cache_without_headers_is_as_it_was(upstream, fetch, cache):
    upstream.routes["/a.csv"] = conditional(b"a\n1\n")
    fetch(upstream.url("/a.csv"))
    access = json.loads(json.loads((cache / "index" / "thing.json").read_text())["access"])
    assert set(access) == {"kind", "url", "filename"}
