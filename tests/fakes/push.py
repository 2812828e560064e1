"""A browser maker's push server on this machine, and the browsers behind it.

It checks the proof of who writes (RFC 8292) and hands each message to its browser,
which opens it with its own keys (RFC 8291): written apart from `nguon.providers.push`.
"""

import base64
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.jwk import ECKey


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def stretch(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


class FakeBrowser:
    """One browser: `shown` are the words that it could open."""

    def __init__(self, endpoint: str, private: ec.EllipticCurvePrivateKey) -> None:
        self.endpoint, self._private = endpoint, private
        self._auth = os.urandom(16)
        self.shown: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        # What the server answers for it, and whether it answers at all.
        self.status = 201
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def public(self) -> bytes:
        return self._private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    @property
    def form(self) -> dict[str, str]:
        """What the page sends when the browser is switched on."""
        return {
            "endpoint": self.endpoint,
            "public_key": b64(self.public),
            "secret": b64(self._auth),
        }

    def open(self, body: bytes) -> bytes:
        """Return what is inside; cryptography's InvalidTag when it is for another."""
        salt, length = body[:16], body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self._private.exchange(ec.ECDH(), point)
        info = b"WebPush: info\x00" + self.public + theirs
        secret = stretch(shared, self._auth, info, 32)
        key = stretch(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = stretch(secret, salt, b"Content-Encoding: nonce\x00", 12)
        plain, mark, _fill = AESGCM(key).decrypt(nonce, sealed, None).rpartition(b"\2")
        assert mark, "a last record ends in 2 and zeros"
        return plain


class FakePushServer:
    """`browsers` by the last part of their endpoint."""

    def __init__(self) -> None:
        self.browsers: dict[str, FakeBrowser] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def start(self) -> "FakePushServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        for browser in self.browsers.values():
            browser.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def browser(self, host: str = "") -> FakeBrowser:
        name = b64(os.urandom(12))
        endpoint = f"http://{host or self.host}/send/{name}"
        made = FakeBrowser(endpoint, ec.generate_private_key(ec.SECP256R1()))
        self.browsers[name] = made
        return made

    def check_proof(self, header: str) -> dict[str, Any]:
        """Return the claims of a proof; raises when its key did not sign it."""
        scheme, _, rest = header.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert scheme == "vapid"
        point = unb64(parts["k"])
        key = ECKey.import_key(
            {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
        )
        claims = jwt.decode(parts["t"], key, algorithms=["ES256"]).claims
        assert claims["aud"] == f"http://{self.host}"
        return claims

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                browser = server.browsers[self.path.rpartition("/")[2]]
                browser.headers.append(dict(self.headers))
                server.check_proof(self.headers["Authorization"])
                browser.may_answer.wait(20)
                if browser.status == 201:
                    browser.shown.append(json.loads(browser.open(body)))
                self.send_response(browser.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        return Handler
