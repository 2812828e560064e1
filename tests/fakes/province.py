"""A whole province for one device, in a few threads: keys, HTTPS API and a bus.

It signs with `core.signing`, speaks real HTTP and real MQTT 3.1.1 over loopback
sockets, and acknowledges events as the gateway does. Tests change its fields and
push documents; nothing of the agent is patched.
"""

import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nguon.core import messages, signing, topics
from nguon.core.messages import Audience, Item, Rendition
from nguon.core.signing import SigningKey
from nguon.core.topics import new_uid

DAY_MS = 24 * 3600 * 1000
Answer = tuple[int, dict[str, str], bytes]
USES = ("plan", "emergency", "command", "firmware")


def now_ms() -> int:
    return round(time.time() * 1000)


class FakeProvince:
    """One commune of one province, with one device."""

    def __init__(self) -> None:
        self.root = SigningKey.generate()
        self.keys = {use: SigningKey.generate() for use in USES}
        self.province, self.commune = new_uid(), new_uid()
        self.device = new_uid()
        self.device_key: signing.PublicKey | None = None
        self.kind = "speaker"
        self.state = "active"
        self.volume = 100
        self.languages = ("vi",)
        self.offset_ms = 0
        self.media: dict[str, bytes] = {}
        self.media_sent = 0
        self.cut_after: list[int] = []
        self.plan_items: list[Item] = []
        self.quiet: list[tuple[int, int]] = []
        self.plan_number = 0
        self.plan_token = ""
        self.urgent: list[str] = []
        self.seq = 0
        self.events: dict[tuple[str, int], dict[str, Any]] = {}
        self.deliveries = 0
        self.acknowledge = True
        self.beats: list[dict[str, Any]] = []
        self.logs: dict[str, str] = {}
        self.update = ""
        self.changed = threading.Condition()
        self._settings_seq = self._update_seq = 0
        self._settings = ""
        self._http: ThreadingHTTPServer | None = None
        self.http_port = 0
        # Answers what is no question of a device: status, headers and body.
        self.site: Callable[[str], Answer] | None = None
        self.bus = FakeBus(self)

    # --- life --------------------------------------------------------------------

    def start(self) -> "FakeProvince":
        self.make_keyset()
        self.plan()
        self.open_http()
        self.bus.start()
        return self

    def stop(self) -> None:
        self.close_http()
        self.bus.stop()

    def open_http(self) -> None:
        province = self

        class Handler(_Handler):
            owner = province

        self._http = _HTTPServer(("127.0.0.1", self.http_port), Handler)
        self.http_port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close_http(self) -> None:
        if self._http:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def claim(self) -> str:
        text = "ABCD2345" + signing.fingerprint(self.root.public)
        return "-".join(text[at : at + 4] for at in range(0, 16, 4))

    def now(self) -> int:
        return now_ms() + self.offset_ms

    # --- documents -----------------------------------------------------------------

    def make_keyset(self) -> None:
        at = self.now()
        rows = [
            {
                "kid": key.kid,
                "x": key.public.x,
                "uses": [use],
                "not_after": at + 400 * DAY_MS,
            }
            for use, key in self.keys.items()
        ]
        payload = messages.envelope(
            "keyset",
            document=new_uid(),
            target={},
            seq=1,
            issued_at=at,
            not_after=at + 400 * DAY_MS,
            body={"keys": rows},
        )
        self.keyset = self.root.sign(payload, typ="nguon-keyset")

    def sign(
        self,
        kind: str,
        body: dict[str, Any],
        *,
        use: str,
        target: dict[str, str] | None = None,
        seq: int = 0,
        life_ms: int = DAY_MS,
        key: SigningKey | None = None,
        **changes: Any,
    ) -> str:
        at = self.now()
        payload = messages.envelope(
            kind,
            document=new_uid(),
            target=target or {"unit": self.commune},
            seq=seq or self.next_seq(),
            issued_at=at,
            not_after=at + life_ms,
            body=body,
        )
        return (key or self.keys[use]).sign(payload | changes, typ=f"nguon-{kind}")

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def settings(self) -> str:
        told = messages.Settings(
            device=self.device,
            kind=self.kind,
            units=(self.commune, self.province),
            languages=self.languages,
            volume=self.volume,
            name="Cụm loa Làng Jút",
        )
        if not self._settings:
            self._settings_seq += 1
            self._settings = self.sign(
                "settings",
                told.body(),
                use="plan",
                target={"device": self.device},
                seq=self._settings_seq,
            )
        return self._settings

    def plan(self, *items: Item) -> str:
        """Publish a plan with these items (all that the plan names), and nudge."""
        self.plan_items = list(items)
        self.plan_number += 1
        at = self.now()
        plan = messages.Plan(
            unit=self.commune,
            number=self.plan_number,
            starts_at=at - 3600_000,
            ends_at=at + 8 * DAY_MS,
            items=tuple(items),
            quiet=tuple(self.quiet),
        )
        self.plan_token = self.sign(
            "plan",
            plan.body(),
            use="plan",
            seq=self.plan_number,
            life_ms=8 * DAY_MS,
            version=plan.version,
        )
        nudge = messages.encode_nudge(unit=self.commune, plan=self.plan_number)
        self.bus.publish(topics.area(self.commune, "nudge"), json.dumps(nudge))
        return self.plan_token

    def item(self, sound: bytes | None, duration_ms: int, **changes: Any) -> Item:
        at = self.now()
        renditions = ()
        if sound is not None:
            name = self.store(sound)
            renditions = (Rendition("vi", name, len(sound), duration_ms),)
        values: dict[str, Any] = {
            "id": f"{new_uid()}.{at}",
            "broadcast": new_uid(),
            "bulletin": new_uid(),
            "title": "Thông báo họp thôn",
            "text": "Mời bà con đến nhà rông lúc bảy giờ tối.",
            "rank": "programme",
            "starts_at": at,
            "ends_at": at + 120_000,
            "shown_until": at + 3600_000,
            "approved_at": at,
            "content_sha256": "0" * 64,
            "audience": Audience(units=(self.commune,)),
            "renditions": renditions,
        }
        return Item(**(values | changes))

    def store(self, sound: bytes) -> str:
        name = hashlib.sha256(sound).hexdigest()
        self.media[name] = sound
        return name

    def push(self, token: str, *, held: bool = True, channel: str = "alert") -> str:
        """Push a signed document whole; `held`: a pull brings it, too."""
        if held:
            self.urgent.append(token)
        topic = (
            topics.area(self.commune, "alert")
            if channel == "alert"
            else topics.device(self.device, channel)
        )
        self.bus.publish(topic, token)
        return token

    def push_alert(self, item: Item, **changes: Any) -> str:
        body = {"item": item.encode(), "replaces": changes.pop("replaces", [])}
        return self.push(self.sign("alert", body, use="emergency", **changes))

    def push_stop(self, *, seconds: float = 600, **changes: Any) -> str:
        body = {"until": self.now() + round(seconds * 1000)}
        return self.push(self.sign("stop", body, use="emergency", **changes))

    def ask_update(self, data: bytes, version: str, **changes: Any) -> str:
        """Have the device run a program; return the document's id."""
        told: dict[str, Any] = {
            "release": new_uid(), "kind": "agent", "make": "nguon", "number": version,
            "sha256": self.store(data) if data else "", "size": len(data), "hours": [],
            "rollback": False,
        }  # fmt: skip
        key, tampered = changes.pop("key", None), changes.pop("tampered", False)
        self._update_seq += 1
        self.update = self.sign(
            "update", told | changes, use="firmware", seq=self._update_seq, key=key,
            target={"device": self.device},
        )  # fmt: skip
        if tampered:
            head, body, mark = self.update.split(".")
            other = "B" if mark[10] == "A" else "A"
            self.update = ".".join((head, body, mark[:10] + other + mark[11:]))
        nudge = messages.encode_nudge(unit=self.commune, plan=self.plan_number)
        self.bus.publish(topics.area(self.commune, "nudge"), json.dumps(nudge))
        return str(signing.read(self.update)[1]["id"])

    def push_command(self, verb: str, args: Any = None, **changes: Any) -> str:
        """Push a command to the device; return the document's id."""
        target = {"device": self.device}
        body = {"verb": verb, "args": args or {}}
        token = self.sign("command", body, use="command", target=target, **changes)
        self.push(token, held=False, channel="command")
        return str(signing.read(token)[1]["id"])

    # --- events ----------------------------------------------------------------------

    def take_events(self, body: dict[str, Any]) -> dict[str, Any]:
        batch = messages.EventBatch.decode(body, device=self.device)
        with self.changed:
            self.deliveries += len(batch.events)
            for event in batch.events:
                self.events.setdefault((batch.log, event.n), event.encode())
            self.changed.notify_all()
        return messages.encode_ack(
            log=batch.log, stored=[event.n for event in batch.events]
        )

    def told(self, kind: str, item: str = "") -> list[dict[str, Any]]:
        with self.changed:
            return [
                event
                for event in self.events.values()
                if event["type"] == kind and (not item or event["item"] == item)
            ]

    def wait_for(
        self, kind: str, item: str = "", *, seconds: float = 15, count: int = 1
    ) -> dict[str, Any]:
        """Return the latest event of a kind as soon as so many have come."""
        ends = time.monotonic() + seconds
        with self.changed:
            while True:
                found = [
                    event
                    for event in self.events.values()
                    if event["type"] == kind and (not item or event["item"] == item)
                ]
                if len(found) >= count:
                    return found[-1]
                left = ends - time.monotonic()
                if left <= 0:
                    kinds = [e["type"] for e in self.events.values()]
                    raise AssertionError(f"no {kind} of {item!r}; got {kinds}")
                self.changed.wait(left)


class _HTTPServer(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    """The device API, as far as one device needs it."""

    owner: FakeProvince

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        province, parts = self.owner, urlsplit(self.path)
        path = parts.path.removeprefix("/device/v1")
        if path == parts.path and province.site is not None:
            self._forward(province.site(path))
            return
        if not self._signed_in():
            return
        if path == "/enrolment":
            bus = {"host": "127.0.0.1", "port": province.bus.port, "tls": False}
            body = {"state": province.state, "root_key": province.root.public.x}
            self._send({**body, "bus": bus})
        elif path == "/time":
            nonce = parse_qs(parts.query)["nonce"][0]
            stated = {"nonce": nonce, "server_at": province.now()}
            target = {"device": province.device}
            token = province.sign(
                "time", stated, use="plan", target=target, seq=1, life_ms=60_000
            )
            self._send({"time": token})
        elif path == "/state":
            self._state()
        elif path.startswith("/media/"):
            self._media(path.removeprefix("/media/"))

    def _forward(self, answer: Answer) -> None:
        status, headers, body = answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/enrol"):
            if body["claim_code"] != self.owner.claim:
                self._send({"code": "fleet.claim"}, status=422)
                return
            self.owner.device_key = signing.PublicKey(body["public_key"])
            self._send({"device": self.owner.device, "state": self.owner.state})
        elif self._signed_in() and self.path.endswith("/logs"):
            with self.owner.changed:
                self.owner.logs[body["document"]] = body["text"]
            self._send({"stored": True})
        elif self._signed_in():
            self._send(self.owner.take_events(body))

    def _signed_in(self) -> bool:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        try:
            signing.check_device_token(
                token,
                key=self.owner.device_key,
                device=self.owner.device,
                at=self.owner.now(),
            )
        except signing.DocumentRefusedError as error:
            at = self.owner.now()
            self._send({"code": error.code, "server_at": at}, status=401)
            return False
        return True

    def _state(self) -> None:
        province = self.owner
        body = {
            "keyset": province.keyset,
            "settings": province.settings(),
            "plans": [province.plan_token],
            "urgent": list(province.urgent),
            "update": province.update,
        }
        etag = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(body, etag=etag)

    def _media(self, name: str) -> None:
        province = self.owner
        if name not in province.media:
            self._send({"code": "fleet.media_absent"}, status=404)
            return
        data = province.media[name]
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        begin = int(match[1]) if match else 0
        self.send_response(206 if match else 200)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        limit = province.cut_after.pop(0) if province.cut_after else len(data)
        piece = data[begin : begin + limit]
        province.media_sent += len(piece)
        self.wfile.write(piece)
        if begin + limit < len(data):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, body: Any, *, status: int = 200, etag: str = "") -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(data)


class FakeBus:
    """An MQTT 3.1.1 broker of the size that one device needs."""

    def __init__(self, province: FakeProvince) -> None:
        self._province = province
        self._clients: list[socket.socket] = []
        self._lock = threading.Lock()
        self._server: socket.socket | None = None
        self.port = 0
        self.subscribed: set[str] = set()

    def start(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def stop(self) -> None:
        """Take the bus away: every connection breaks."""
        if self._server:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()
            self.subscribed.clear()

    def publish(self, topic: str, payload: str) -> None:
        name = topic.encode()
        body = struct.pack("!H", len(name)) + name + payload.encode()
        self._send_all(b"\x30" + _length(len(body)) + body)

    def wait_until_heard(self, topic: str, *, seconds: float = 15) -> None:
        """Wait until the device listens to a topic."""
        province = self._province
        ends = time.monotonic() + seconds
        with province.changed:
            while topic not in self.subscribed:
                left = ends - time.monotonic()
                assert left > 0, f"nobody listens to {topic}"
                province.changed.wait(left)

    def _send_all(self, packet: bytes) -> None:
        with self._lock:
            for client in list(self._clients):
                try:
                    client.sendall(packet)
                except OSError:
                    self._clients.remove(client)

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                client, _address = server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rb") as file:
                while self._packet(client, file):
                    pass
        except (OSError, ValueError):
            pass
        with self._lock:
            if client in self._clients:
                self._clients.remove(client)

    def _packet(self, client: socket.socket, file: Any) -> bool:
        first = file.read(1)
        if not first:
            return False
        length, shift = 0, 0
        while True:
            byte = file.read(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
        body = file.read(length)
        kind = first[0] >> 4
        if kind == 1:
            client.sendall(b"\x20\x02\x00\x00")
            with self._lock:
                self._clients.append(client)
        elif kind == 8:
            self._subscribe(client, body)
        elif kind == 10:
            client.sendall(b"\xb0\x02" + body[:2])
        elif kind == 12:
            client.sendall(b"\xd0\x00")
        elif kind == 3:
            self._published(client, first[0], body)
        return kind != 14

    def _subscribe(self, client: socket.socket, body: bytes) -> None:
        at, codes, names = 2, b"", []
        while at < len(body):
            size = struct.unpack_from("!H", body, at)[0]
            names.append(body[at + 2 : at + 2 + size].decode())
            at += size + 3
            codes += b"\x00"
        client.sendall(b"\x90" + _length(2 + len(codes)) + body[:2] + codes)
        with self._province.changed:
            self.subscribed.update(names)
            self._province.changed.notify_all()

    def _published(self, client: socket.socket, flags: int, body: bytes) -> None:
        size = struct.unpack_from("!H", body)[0]
        topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
        if flags & 6:
            client.sendall(b"\x40\x02" + rest[:2])
            rest = rest[2:]
        message = json.loads(rest)
        province = self._province
        if topic.endswith("/event"):
            ack = province.take_events(message)
            if province.acknowledge:
                self.publish(topics.device(province.device, "ack"), json.dumps(ack))
        else:
            province.beats.append(message)


def _length(size: int) -> bytes:
    out = b""
    while True:
        byte, size = size & 127, size >> 7
        out += bytes([byte | (128 if size else 0)])
        if not size:
            return out
