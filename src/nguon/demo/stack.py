"""The whole system as real processes on this machine: started, watched, ended.

1. Settings and ports are chosen once and kept in the folder.
2. The database gets its tables, the keys and the territory.
3. NATS, web, gateway, worker and relays start; each is asked until it is ready.
4. The demo world is loaded; devices enrol and a technician approves them.
Journeys and benchmarks stand on this, and so does `./nguon demo`.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from nguon.demo import template
from nguon.demo.client import Client
from nguon.demo.line import Line
from nguon.demo.processes import (
    Program,
    StackError,
    answers_http,
    check_free,
    free_port,
    greets,
    listens,
    run_step,
)

SOURCE = Path(__file__).resolve().parents[2]
SERVER = ("nats", "web", "gateway", "worker", "relays")
# One server for all; or a hub, and a leaf node to which the home's devices connect.
ONE, LEAF = "one", "leaf"
PROFILES = (ONE, LEAF)
LEAF_NAME = "xa"

Say = Callable[[str], None]


def _quiet(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Outside:
    """Devices on another network: the servers' address there, with TLS.

    `enter` begins a command that runs on that network; `authority` is the file of
    the certificates that the devices believe.
    """

    host: str
    authority: Path
    certificate: Path
    key: Path
    enter: tuple[str, ...] = ()


class Stack:
    """Real processes on real sockets; use it as a context manager."""

    def __init__(
        self,
        folder: Path,
        database_url: str | None = None,
        *,
        devices: int = 200,
        agents: int = 2,
        boards: int = 1,
        quiet_hours: str = "",
        web_port: int = 0,
        spread: bool = False,
        programme: bool = False,
        past: bool = False,
        servers: Sequence[str] = SERVER,
        profile: str = ONE,
        relays_inside: bool = False,
        outside: Outside | None = None,
        webs: int = 1,
        say: Say = _quiet,
    ) -> None:
        self.folder = folder.resolve()
        self.devices, self.agents, self.boards = devices, agents, boards
        self.spread, self.programme, self.past = spread, programme, past
        self.servers = servers
        self.profile = profile
        if profile == LEAF:
            self.servers = ("nats", "leaf", *servers[1:])
        # Further web processes beside the first, as further machines would have them.
        self.more_webs = [f"web-{number}" for number in range(2, webs + 1)]
        self.servers = (*self.servers, *self.more_webs)
        self.outside = outside
        if outside:
            self.servers = (*self.servers, "web-tls")
        # A relay source on this very machine is for tests alone.
        self.relays_inside = relays_inside
        self.say = say
        self.programs: dict[str, Program] = {}
        self.ports = self._choose_ports(web_port)
        self.database_url = database_url
        self.env = self._make_env(quiet_hours)
        if profile == LEAF:
            self.line = Line(self.ports["leaf-line"], to=self.ports["leaf-hub"])
        self.world: dict[str, Any] = {}
        self.refused = 0

    # --- where things are --------------------------------------------------------

    @property
    def web_url(self) -> str:
        """The address of the web server."""
        return f"http://127.0.0.1:{self.ports['web']}"

    @property
    def web_urls(self) -> list[str]:
        """The addresses of all web processes that officers reach."""
        more = [f"http://127.0.0.1:{self.ports[name]}" for name in self.more_webs]
        return [self.web_url, *more]

    @property
    def device_url(self) -> str:
        """The address that real devices are given."""
        if self.outside is None:
            return self.web_url
        return f"https://{self.outside.host}:{self.ports['web-tls']}"

    @property
    def mqtt_port(self) -> int:
        """The port devices connect to."""
        return self.ports["mqtt"]

    @property
    def logs(self) -> Path:
        """The folder of the logs, one file per process."""
        return self.folder / "logs"

    def agent_home(self, number: int) -> Path:
        """Return the folder of one real agent; boards come after the speakers."""
        kind = "speaker" if number < self.agents else "board"
        return self.folder / "devices" / f"{kind}-{number}"

    def agent_name(self, number: int) -> str:
        """Return the name of one real agent's process."""
        return self.agent_home(number).name

    def agent_uid(self, number: int) -> str:
        """Return the uid under which a real agent is enrolled."""
        path = self.agent_home(number) / "identity.json"
        return str(json.loads(path.read_text(encoding="utf-8"))["device"])

    def wavs(self, number: int) -> list[Path]:
        """Return the WAV files of a real agent: one for each life of its process."""
        return sorted((self.agent_home(number) / "wav").glob("*.wav"))

    def board_url(self, number: int) -> str:
        """Return the page of a real board."""
        return f"http://127.0.0.1:{self.ports[f'board-{number}']}/"

    def login(self, username: str) -> Client:
        """Sign in over HTTP as one of the demo people."""
        client = Client(self.web_url)
        client.sign_in(username, self.password)
        return client

    @property
    def password(self) -> str:
        """The password of the demo people."""
        return str(self.world["password"])

    # --- life --------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up. Raises StackError; then nothing is left running."""
        for name, port in self.ports.items():
            if name != "poke":
                check_free(port, name)
        self.set_up()
        if self.profile == LEAF:
            self.line.mend()
        for name in self.servers:
            self._add_server(name)
            self.programs[name].start()
        for name in self.servers:
            self.programs[name].wait_ready()
            self.say(f"{name}: sẵn sàng")
        self.say("Đang dựng tỉnh mẫu: cán bộ, thôn làng, sổ sách, kế hoạch …")
        self.world = json.loads(self.manage("load_demo", *self._world_arguments()))
        self._start_devices()

    def set_up(self) -> None:
        """Make the tables, the keys and the territory; repeatable and quick."""
        self.say("Đang chuẩn bị cơ sở dữ liệu và bản đồ …")
        database = self.folder / "nguon.sqlite3"
        if self.database_url is None:
            template.copy_to(database, self.env)
        self.manage(
            "prepare_demo",
            *["--nats-port", str(self.ports["nats"])],
            *["--mqtt-port", str(self.ports["mqtt"])],
        )
        if self.profile == LEAF:
            self._set_up_leaf()
        if self.outside:
            self.manage(
                "nats_config",
                *["--port", str(self.ports["nats"])],
                *["--mqtt-host", self.outside.host],
                *["--mqtt-port", str(self.ports["mqtt"])],
                *["--tls-cert", str(self.outside.certificate)],
                *["--tls-key", str(self.outside.key)],
            )

    def _set_up_leaf(self) -> None:
        """Write the two configurations; the link between them can be cut."""
        home = self.query("tell_home")["home"]
        place = f"{home}@127.0.0.1:{self.ports['leaf-mqtt']}"
        self.env["NGUON_LEAVES"] = f"{LEAF_NAME}={place}"
        self.manage(
            "nats_config",
            *["--port", str(self.ports["nats"])],
            *["--mqtt-port", str(self.ports["mqtt"])],
            *["--leaf-listen", f"127.0.0.1:{self.ports['leaf-hub']}"],
        )
        self.manage(
            "nats_config",
            *["--leaf", LEAF_NAME, "--hub", f"127.0.0.1:{self.ports['leaf-line']}"],
            *["--port", str(self.ports["leaf-nats"])],
            *["--mqtt-port", str(self.ports["leaf-mqtt"])],
        )

    def stop(self) -> None:
        """End everything: devices first, then the servers, the bus last."""
        for name in reversed(self.programs):
            with contextlib.suppress(OSError):
                self.programs[name].stop()
        if self.profile == LEAF:
            self.line.cut()

    def kill(self, name: str) -> None:
        """End one process as a power cut does (`kill -9`)."""
        self.programs[name].kill()

    def restart(self, name: str, *, wait: bool = True) -> None:
        """Start one process again after it was killed."""
        self.programs[name].stop()
        self.programs[name].start()
        if wait:
            self.programs[name].wait_ready()

    def dead(self) -> list[str]:
        """Return the names of processes that ended by themselves."""
        return [name for name, program in self.programs.items() if not program.running]

    # --- commands ----------------------------------------------------------------

    def manage(self, *arguments: str, tells: bool = False) -> str:
        """Run one management command; return what it printed.

        One that `tells` says on standard error how far it is: that is passed on.
        """
        return run_step(
            arguments[0],
            [sys.executable, "-m", "nguon.web", *arguments],
            self.env,
            self.logs / "setup.log",
            hear=self.say if tells else None,
        )

    def query(self, name: str, *arguments: str) -> Any:
        """Run a command that prints JSON; return what it says."""
        return json.loads(self.manage(name, *arguments))

    def simulator_stats(self) -> dict[str, Any]:
        """Return what the simulated fleet counted last; it writes the file whole."""
        path = self.folder / "simulator" / "stats.json"
        if not path.exists():
            return {}
        return dict(json.loads(path.read_text(encoding="utf-8")))

    # --- inside ------------------------------------------------------------------

    def _choose_ports(self, web_port: int) -> dict[str, int]:
        """Choose ports once per folder: devices remember the address of the bus."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "ports.json"
        ports: dict[str, int] = {}
        if path.exists():
            ports = dict(json.loads(path.read_text(encoding="utf-8")))
        names = ["nats", "mqtt"]
        if self.profile == LEAF:
            names += ["leaf-nats", "leaf-mqtt", "leaf-hub", "leaf-line"]
        names += self.more_webs
        if self.outside:
            names.append("web-tls")
        for name in names:
            ports.setdefault(name, free_port())
        for name in ("gateway-health", "worker-health", "relays-health"):
            ports.setdefault(name, free_port())
        ports.setdefault("poke", free_port(socket.SOCK_DGRAM))
        for number in range(self.agents, self.agents + self.boards):
            ports.setdefault(f"board-{number}", free_port())
        ports["web"] = web_port or ports.get("web") or free_port()
        path.write_text(json.dumps(ports), encoding="utf-8")
        return ports

    def _make_env(self, quiet_hours: str) -> dict[str, str]:
        secret = self.folder / "secret-key"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("NGUON_") and name != "DJANGO_SETTINGS_MODULE"
        }
        paths = [str(SOURCE), os.environ.get("PYTHONPATH", "")]
        env = kept | {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "PYTHONUNBUFFERED": "1",
            "NGUON_DATA_DIR": str(self.folder),
            "NGUON_SECRET_KEY_FILE": str(secret),
            "NGUON_ALLOWED_HOSTS": "127.0.0.1,localhost",
            "NGUON_PUBLIC_URL": self.web_url,
            "NGUON_NATS_URL": f"nats://127.0.0.1:{self.ports['nats']}",
            "NGUON_MQTT_HOST": "127.0.0.1",
            "NGUON_MQTT_PORT": str(self.ports["mqtt"]),
            "NGUON_POKE": f"127.0.0.1:{self.ports['poke']}",
            "NGUON_GATEWAY_HEALTH": f"127.0.0.1:{self.ports['gateway-health']}",
            "NGUON_WORKER_HEALTH": f"127.0.0.1:{self.ports['worker-health']}",
            "NGUON_RELAYS_HEALTH": f"127.0.0.1:{self.ports['relays-health']}",
            "NGUON_QUIET_HOURS": quiet_hours,
        }
        if self.database_url:
            env["NGUON_DATABASE_URL"] = self.database_url
        if self.relays_inside:
            env["NGUON_RELAY_ALLOWED"] = "127.0.0.1"
        if self.outside:
            env["NGUON_ALLOWED_HOSTS"] += f",{self.outside.host}"
            env["NGUON_MQTT_HOST"] = self.outside.host
            env["NGUON_MQTT_TLS"] = "1"
        return env

    def _add(
        self,
        name: str,
        command: Sequence[str],
        ready: Callable[[], bool],
        ready_seconds: float = 60.0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.programs[name] = Program(
            name=name,
            command=command,
            env=env or self.env,
            log=self.logs / f"{name}.log",
            ready=ready,
            ready_seconds=ready_seconds,
            cwd=self.folder,
        )

    def _add_server(self, name: str) -> None:
        if name == "web-tls" and self.outside:
            self._add_web_tls(self.outside)
            return
        is_further = name in self.more_webs
        port = self.ports[name] if is_further else urlsplit(self.web_url).port
        python = [sys.executable, "-m"]
        commands: dict[str, tuple[list[str], Callable[[], bool]]] = {
            "nats": (
                [find_nats_server(), "-c", str(self.folder / "nats.conf")],
                lambda: greets(self.ports["nats"]),
            ),
            "leaf": (
                [find_nats_server(), "-c", str(self.folder / f"nats-{LEAF_NAME}.conf")],
                lambda: greets(self.ports["leaf-nats"]),
            ),
            "web": (
                [
                    *[*python, "uvicorn", "nguon.web.asgi:application"],
                    *["--host", "127.0.0.1", "--port", str(port), "--no-access-log"],
                ],
                lambda: answers_http(f"http://127.0.0.1:{port}/health"),
            ),
            "gateway": ([*python, "nguon.web", "run_gateway"], self._gateway_ready),
            "worker": ([*python, "nguon.web", "run_worker"], lambda: True),
            "relays": ([*python, "nguon.web", "run_relays"], lambda: True),
        }
        command, ready = commands["web" if is_further else name]
        self._add(name, command, ready)

    def _add_web_tls(self, outside: Outside) -> None:
        """Add a web process that devices of another network reach with TLS."""
        port = self.ports["web-tls"]
        command = [sys.executable, "-m", "uvicorn", "nguon.web.asgi:application"]
        command += ["--host", outside.host, "--port", str(port), "--no-access-log"]
        command += ["--ssl-certfile", str(outside.certificate)]
        command += ["--ssl-keyfile", str(outside.key)]
        self._add("web-tls", command, lambda: listens(port, outside.host))

    def _gateway_ready(self) -> bool:
        """Tell whether the gateway has said that it takes events and sign-ins."""
        return self.programs["gateway"].has_said("gateway ready")

    def _world_arguments(self) -> list[str]:
        return [
            *["--speakers", str(self.agents), "--boards", str(self.boards)],
            *["--simulated", str(self.devices)],
            *(["--spread"] if self.spread else []),
            *(["--past"] if self.past else []),
        ]

    def _start_devices(self) -> None:
        """Start agents and simulator, have them approved, wait until they are in."""
        claims = self.world["claims"]
        codes = [*claims["speakers"], *claims["boards"]]
        for number, code in enumerate(codes):
            self._add_agent(number, code)
        if self.devices:
            self._add_simulator(claims["simulated"])
        for name, program in self.programs.items():
            if name not in self.servers:
                program.start()
        expected = len(codes) + self.devices
        self.say(f"Đang ghi danh {expected} thiết bị …")
        self._welcome(expected)
        for name, program in self.programs.items():
            if name not in self.servers:
                program.wait_ready()
        if self.past:
            self._make_past()
        if self.programme:
            self.say("Đang đọc các bản tin hôm nay thành tiếng …")
            self.manage("load_programme")

    def _make_past(self) -> None:
        """Make the days behind, while no worker does now what was done then."""
        self.programs["worker"].stop()
        self.manage("load_past", tells=True)
        self.restart("worker")

    def _welcome(self, expected: int) -> None:
        """Have devices let in until so many are settled. Raises StackError."""
        patience = str(90 + expected // 5)
        wanted = ["--expect", str(expected), "--seconds", patience]
        told = self.manage("welcome_devices", *wanted, tells=True)
        self.refused = json.loads(told)["refused"]

    def add_speakers(self, codes: Sequence[str]) -> None:
        """Start further real speakers by their claim codes, and have them let in.

        Only where there are no boards, which are numbered after the speakers. Raises
        StackError.
        """
        if self.boards:
            raise StackError("Thêm loa: chỉ khi không có bảng tin.")
        first, self.agents = self.agents, self.agents + len(codes)
        for number, code in enumerate(codes, first):
            self._add_agent(number, code)
            self.programs[self.agent_name(number)].start()
        self._welcome(self.agents + self.devices)

    def _add_agent(self, number: int, code: str) -> None:
        home = self.agent_home(number)
        is_board = number >= self.agents
        env, program = self.env, [sys.executable, "-m", "nguon.agent"]
        if self.outside:
            env = {**env, "SSL_CERT_FILE": str(self.outside.authority)}
            program = [*self.outside.enter, *program]
        if not (home / "identity.json").exists():
            kind = "board" if is_board else "speaker"
            enrol = [*program, "enrol", "--home", str(home), "--kind", kind]
            enrol += ["--server", self.device_url, "--claim", code]
            run_step("enrol", enrol, env, self.logs / "setup.log")
        run = [*program, "run", "--home", str(home), "--rtc"]
        if is_board:
            run += ["--null", "--board-port", str(self.ports[f"board-{number}"])]
        else:
            run += ["--wav", str(home / "wav")]
            run += ["--allow-inside"] if self.relays_inside else []
        self._add(
            self.agent_name(number),
            run,
            (lambda: answers_http(self.board_url(number)))
            if is_board
            else (lambda: True),
            env=env,
        )

    def _add_simulator(self, codes: list[str]) -> None:
        home = self.folder / "simulator"
        home.mkdir(parents=True, exist_ok=True)
        path = home / "claims.txt"
        path.write_text("\n".join(codes) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "nguon.simulator", "--home", str(home)]
        command += ["--server", self.web_url, "--claims", str(path)]
        self._add(
            "simulator",
            command,
            lambda: self.simulator_stats().get("ready", 0) + self.refused >= len(codes),
            ready_seconds=90.0 + len(codes) / 5,
        )


def find_nats_server() -> str:
    """Return the path of the NATS server. Raises StackError when it is missing."""
    beside = Path(sys.executable).with_name("nats-server")
    path = str(beside) if beside.exists() else shutil.which("nats-server")
    if path is None:
        raise StackError("Không thấy nats-server: hãy cài requirements/server.txt.")
    return path
