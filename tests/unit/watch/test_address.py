"""Streams are pulled from public addresses only, and from the one that was checked."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.errors import InputError
from lightship.watch.address import pin

PUBLIC = ("93.184.216.34",)


def known(*answers):
    return lambda _host, _port: answers


@pytest.mark.parametrize(
    "answer",
    [
        *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "240.0.0.1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1", "198.18.0.1"),
    ],
)
def test_inner_addresses_are_refused_whatever_name_leads_there(answer):
    for answers in ((answer,), (*PUBLIC, answer)):
        with pytest.raises(InputError, match="inner network"):
            pin("rtmp://nice.example/live/key", resolve=known(*answers))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "[::1]", "localhost"])
def test_loopback_is_found_however_it_is_written(host):
    with pytest.raises(InputError):
        pin(f"http://{host}/a.m3u8")


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "/etc/passwd", "concat:a|b", "gopher://x/", "data:text/plain,x", "tcp://h:1"),
        *("http:///x", "rtmp://h:0/x", "http://h:99999/x", "http://h/\r\nX: y", "http://h/ x", "unix:/x", ""),
    ],
)
def test_odd_schemes_hosts_and_characters_are_refused(url):
    with pytest.raises(InputError):
        pin(url, resolve=known(*PUBLIC))


def test_the_checked_address_stands_in_place_of_the_name():
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return PUBLIC

    pinned = pin("rtmp://live.example/app/key?x=1", resolve=resolve)
    assert (pinned.url, pinned.whole) == ("rtmp://93.184.216.34:1935/app/key?x=1", True)
    assert pinned.options["rtmp_tcurl"] == "rtmp://live.example/app"
    assert asked == [("live.example", 1935)]
    plain = pin("http://user:pw@cdn.example:8080/a.m3u8", resolve=resolve)
    assert plain.url == "http://user:pw@93.184.216.34:8080/a.m3u8"
    assert plain.options["headers"] == "Host: cdn.example:8080\r\n"
    assert "file" not in plain.options["protocol_whitelist"]
    secure = pin("https://cdn.example/a.m3u8", resolve=resolve)
    assert (secure.url, secure.whole) == ("https://cdn.example/a.m3u8", False)
    assert pin("rtsp://cam.example/1", resolve=known("2606:4700::1")).url == "rtsp://[2606:4700::1]:554/1"


def test_an_administrator_may_allow_a_network():
    inner = [ipaddress.ip_network("10.0.0.0/8")]
    assert pin("rtmp://ingest/live/k", inner, known("10.1.1.1")).url == "rtmp://10.1.1.1:1935/live/k"
    with pytest.raises(InputError):
        pin("rtmp://ingest/live/k", inner, known("10.1.1.1", "127.0.0.1"))


@given(st.text(max_size=60))
def test_any_text_is_pinned_or_refused_in_a_sentence(text):
    with pytest.raises(InputError):
        pin(text, resolve=known("127.0.0.1"))
