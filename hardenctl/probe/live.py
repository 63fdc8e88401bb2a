"""A careful HTTP client for one host: few requests, slowly, with verified TLS, and nowhere else.

The standard library's `http.client`: no proxy, no cookie and no redirect happens behind our back.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

from hardenctl import __version__
from hardenctl.model.errors import ToolError, UsageError

MOST = 80  # requests of one run
PAUSE = 0.1  # seconds between two requests
PATIENCE = 10.0  # seconds that connecting, TLS and an answer's head may take together
LONGEST = 300.0  # seconds after which nothing more is asked in one run
LINGER = 1.0  # seconds its body may take: nothing in it is judged, but read to its end the connection serves again
_BODY = 64 * 1024  # bytes that are read of an answer
_HOPS = 3
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go. `shown` is the URL as reports print it: no query, which may hold a token."""

    scheme: str
    host: str
    port: int
    target: str
    shown: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser writes an origin."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; header names in lower case, repeated headers joined with a comma. `elsewhere` is a host unvisited."""

    address: Address
    status: int
    headers: Mapping[str, str]
    elsewhere: str = ""


def parse_address(url: str) -> Address:
    """A URL that can be probed. Raises UsageError, which never quotes a URL that could hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (
            (parts.hostname or "").encode("idna").decode() if not (parts.hostname or "").isascii() else parts.hostname
        )
    except (ValueError, UnicodeError):
        raise UsageError("`--url` is no URL", help="write it like https://api.example.com/health") from None
    if parts.scheme not in _PORTS or not host or set(url) & set(" \t\r\n"):
        raise UsageError("`--url` needs http:// or https:// and a host", help="write it like https://api.example.com/")
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "`--url` holds a user or password, which would end up in logs", help="name a page that needs no login"
        )
    return _address(parts, host, port or _PORTS[parts.scheme])


def _address(parts: SplitResult, host: str, port: int) -> Address:
    from urllib.parse import quote

    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    netloc = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{netloc}" + ("" if port == _PORTS[parts.scheme] else f":{port}") + path
    return Address(parts.scheme, host, port, f"{path}?{query}" if query else path, shown)


@dataclass
class Client:
    """Asks one host. Raises ToolError where it cannot be reached, where TLS fails, or where the budget is used up."""

    address: Address
    pause: float = PAUSE
    patience: float = PATIENCE
    most: int = MOST
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    longest: float = LONGEST
    sent: int = 0
    _first: float = 0.0
    _last: float = 0.0
    _open: dict[tuple[str, int], http.client.HTTPConnection] = field(default_factory=dict)

    def ask(self, method: str, headers: Mapping[str, str] | None = None) -> Response:
        """The answer, redirects on the same host followed; one to another host is answered with what redirects."""
        at = self.address
        for _ in range(_HOPS):
            response = self._send(at, method, headers or {})
            if response.status not in _REDIRECTS or "location" not in response.headers or method != "GET":
                return response
            following = self._following(at, response.headers["location"])
            if isinstance(following, str):
                return Response(at, response.status, response.headers, following)
            at = following
        return response

    def certificate(self) -> tuple[str, Mapping[str, object]]:
        """The TLS version that was agreed on, and the certificate as `SSLSocket.getpeercert` gives it."""
        ends = time.monotonic() + self.patience
        with self._mishaps(self.address), dial_tls(self.address, ends, self.context) as sock:
            return sock.version() or "", sock.getpeercert() or {}

    def close(self) -> None:
        """Hang up."""
        for each in self._open.values():
            each.close()
        self._open.clear()

    def _following(self, at: Address, location: str) -> Address | str:
        """Where a redirect leads on the same host, or the name of another host, which nobody asked us to visit."""
        try:
            parts = urlsplit(urljoin(at.shown, location))
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            return "a place that is no URL"
        to_tls = at.scheme == "http" and at.port == _PORTS["http"] and port == _PORTS["https"]
        same = parts.hostname == at.host and (port == at.port or to_tls)
        if not same or parts.scheme not in {at.scheme, "https"} or parts.username is not None:
            name = parts.hostname or ""
            return f"{name}:{port}" if name == at.host else name or "a place that is no URL"
        return _address(parts, at.host, port)

    def _send(self, at: Address, method: str, headers: Mapping[str, str]) -> Response:
        if self.sent >= self.most:
            raise ToolError(f"more than {self.most} requests would be needed", help="name fewer origins")
        time.sleep(max(0.0, self._last + self.pause - time.monotonic()))
        self._last = time.monotonic()
        self._first = self._first or self._last
        if self._last - self._first > self.longest:
            raise ToolError(
                f"{self.address.origin} answers too slowly: its answers took {self.longest:g} s together",
                help="name fewer origins, or a page that answers faster",
            )
        self.sent += 1
        everything = {"User-Agent": f"hardenctl/{__version__}", "Accept": "*/*", **headers}
        key = (at.scheme, at.port)
        with self._mishaps(at):
            reused = key in self._open
            connection = self._open.setdefault(key, self._connect(at))
            try:
                return self._exchange(connection, at, method, everything)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not reused:
                    raise
            # A connection that was kept open may have been closed at the other end meanwhile.
            connection = self._open[key] = self._connect(at)
            return self._exchange(connection, at, method, everything)

    def _exchange(
        self, connection: http.client.HTTPConnection, at: Address, method: str, headers: Mapping[str, str]
    ) -> Response:
        # A server that drips bytes never trips a socket's own time-out. The socket is held on to: a connection that is
        # to be closed after its answer lets go of it while the body is still being read.
        ends = time.monotonic() + self.patience
        answer: http.client.HTTPResponse | None = None
        try:
            if connection.sock is None:
                connection.sock = self._dial(at, ends)
            sock = connection.sock
            with _deadline(sock, ends - time.monotonic()) as expired:
                connection.request(method, at.target, headers=dict(headers))
                answer = connection.getresponse()
            if expired.is_set():  # cut off half-way, headers may look complete
                raise TimeoutError  # noqa: TRY301 - as if the socket had said so
            found: dict[str, str] = {}
            for name, value in answer.getheaders():
                low = name.lower()
                found[low] = f"{found[low]}, {value}" if low in found else value
        except BaseException:
            if answer is not None:
                answer.close()  # one that ends with the connection is all that holds the socket
            self._drop(connection)
            raise
        try:
            with _deadline(sock, min(LINGER, self.patience)):
                answer.read(_BODY)
            whole = answer.isclosed()
        except (OSError, ValueError, http.client.HTTPException):
            whole = False
        if not whole:
            answer.close()
            self._drop(connection)
        return Response(at, answer.status, found)

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        for key in [key for key, each in self._open.items() if each is connection]:
            del self._open[key]

    def _connect(self, at: Address) -> http.client.HTTPConnection:
        if at.scheme == "https":
            return http.client.HTTPSConnection(at.host, at.port, timeout=self.patience, context=self.context)
        return http.client.HTTPConnection(at.host, at.port, timeout=self.patience)

    def _dial(self, at: Address, ends: float) -> socket.socket:
        sock = dial_tls(at, ends, self.context) if at.scheme == "https" else _dial(at, ends)
        sock.settimeout(self.patience)
        return sock

    @contextmanager
    def _mishaps(self, at: Address) -> Iterator[None]:
        """Turn what networks do into a ToolError."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise ToolError(
                f"the certificate of {at.origin} cannot be trusted: {error.verify_message}",
                help="use a certificate that the system's CA bundle knows, or name your own bundle in SSL_CERT_FILE",
            ) from None
        except ssl.SSLError as error:
            reason = (error.reason or "handshake failed").replace("_", " ").lower()
            raise ToolError(f"TLS with {at.origin} failed: {reason}", help="check the scheme and the port") from None
        except TimeoutError:
            what = f"{at.origin} did not answer within {self.patience:g} s"
            raise ToolError(what, help="check that the service is up") from None
        except socket.gaierror:
            raise ToolError(f"`{at.host}` has no address", help="check the host's name") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            what = f"{at.origin} cannot be asked: {reason}"
            raise ToolError(what, help="check that the service is up, and the port") from None


def dial_tls(at: Address, ends: float, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection with TLS, there before `ends` of `time.monotonic`. Raises OSError."""
    sock = context.wrap_socket(_dial(at, ends), server_hostname=at.host, do_handshake_on_connect=False)
    try:
        with _deadline(sock, ends - time.monotonic()) as expired:
            sock.do_handshake()
        if expired.is_set():
            raise TimeoutError  # noqa: TRY301 - as if the socket had said so
    except BaseException:
        sock.close()
        raise
    return sock


def _dial(at: Address, ends: float) -> socket.socket:
    """A connection to the first of a host's addresses that takes one."""
    failed: OSError = TimeoutError()
    for family, kind, protocol, _, address in socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM):
        if (left := ends - time.monotonic()) <= 0:
            raise TimeoutError
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small requests: none waits for another
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise failed


@contextmanager
def _deadline(sock: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Hang up when the time is over, whatever is going on; the event says that it was. Raises TimeoutError then."""

    def stop() -> None:
        expired.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    expired = threading.Event()
    alarm = threading.Timer(max(seconds, 0.0), stop)
    alarm.daemon = True
    alarm.start()
    try:
        yield expired
    except Exception:
        if expired.is_set():
            raise TimeoutError from None
        raise
    finally:
        alarm.cancel()
