import socket
import time

import pytest

from hardenctl.load import target as module
from hardenctl.load.target import allow_target
from hardenctl.model.errors import HardenctlError, ToolError, UsageError


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name service of the test's own."""
    known: dict[str, list[str]] = {}

    def getaddrinfo(name: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if name not in known:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[name]]

    monkeypatch.setattr(module.socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.mark.parametrize(
    ("addresses", "allowed"),
    [
        pytest.param(["127.0.0.1"], True, id="loopback"),
        pytest.param(["::1"], True, id="loopback-6"),
        pytest.param(["10.1.2.3"], True, id="private-10"),
        pytest.param(["172.31.0.1"], True, id="private-172"),
        pytest.param(["192.168.1.1"], True, id="private-192"),
        pytest.param(["fd00::1"], True, id="unique-local"),
        pytest.param(["::ffff:127.0.0.1"], True, id="mapped-loopback"),
        pytest.param(["93.184.216.34"], False, id="public"),
        pytest.param(["::ffff:93.184.216.34"], False, id="mapped-public"),
        pytest.param(["127.0.0.1", "93.184.216.34"], False, id="one-of-two-is-public"),
        pytest.param(["169.254.169.254"], False, id="cloud-metadata"),
        pytest.param(["100.64.0.1"], False, id="carrier-nat"),
        pytest.param(["0.0.0.0"], False, id="any-address"),  # noqa: S104 - what is refused
        pytest.param(["fe80::1%eth0"], False, id="link-local-with-zone"),
    ],
)
def test_addresses(names: dict[str, list[str]], addresses: list[str], *, allowed: bool) -> None:
    """Only this machine and private networks are loaded unasked; every address of a name counts."""
    names["app.test"] = addresses
    if allowed:
        assert allow_target("http://app.test:8000/").url == "http://app.test:8000"
    else:
        with pytest.raises(UsageError, match="outside of this machine") as caught:
            allow_target("http://app.test:8000")
        assert "--confirm-host app.test" in caught.value.help


def test_a_confirmed_host(names: dict[str, list[str]]) -> None:
    """The name repeated, or listed in policy, allows it; another name doesn't; production is warned of."""
    names["staging.test"] = names["www.shop.test"] = ["93.184.216.34"]
    assert allow_target("https://staging.test", confirmed="staging.test").warnings == ()
    assert allow_target("https://staging.test", hosts=["staging.test"]).name == "staging.test"
    with pytest.raises(UsageError, match="outside"):
        allow_target("https://staging.test", confirmed="shop.test")
    assert "production" in allow_target("https://www.shop.test", confirmed="www.shop.test").warnings[0]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("127.0.0.1:8000", "is no URL", id="no-scheme"),
        pytest.param("ftp://127.0.0.1", "is no URL", id="other-scheme"),
        pytest.param("http://", "is no URL", id="no-host"),
        pytest.param("http://127.0.0.1:99999", "is no URL", id="no-port"),
        pytest.param("http://[::1", "is no URL", id="broken-bracket"),
        pytest.param("http://127.0.0.1/?a=1", "query", id="query"),
        pytest.param("http://nowhere.test", "cannot be resolved", id="unknown-name"),
    ],
)
@pytest.mark.usefixtures("names")
def test_what_is_no_target(url: str, words: str) -> None:
    """A target that cannot be is refused in words."""
    with pytest.raises(HardenctlError, match=words):
        allow_target(url)


def test_credentials_in_the_url() -> None:
    """They are refused and not repeated."""
    value = "hunter" + "22222"
    for url in (f"http://ada:{value}@127.0.0.1", f"ftp://ada:{value}@127.0.0.1"):
        with pytest.raises(UsageError) as caught:
            allow_target(url)
        assert value not in caught.value.what + caught.value.help


def test_a_slow_name_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that doesn't answer is an error after a while, no hang."""
    monkeypatch.setattr(module, "_RESOLVE_SECONDS", 0.05)
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: time.sleep(0.3) or [])
    with pytest.raises(ToolError, match="was not resolved within"):
        allow_target("http://app.test")
