"""A bad link between servers and devices: real packets, in namespaces of its own.

The process that calls `enter` and all it starts afterwards live in a fresh network
namespace; nothing of the machine's own network can be seen from there. `Link` starts
the relay, a process in a second namespace, with one TUN device on either side. It
carries IP packets as a slow line does: one after the other at so many bits a second,
a queue that overflows, a delay each way, and some of them lost by chance.

As root this needs nothing but `/dev/net/tun`; anybody else needs a kernel that lets
users have namespaces. Where neither is so, `enter` raises NotMeasuredError.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks._bench import NotMeasuredError, check

SERVER, DEVICES = "10.83.0.1", "10.83.0.2"
MTU = 1_400
_CLONE_NEWUSER, _CLONE_NEWNET, _PDEATHSIG = 0x1000_0000, 0x4000_0000, 1
# Source: linux/if_tun.h, linux/sockios.h.
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x4004_54CA, 0x0001, 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_SIOCSIFMTU, _UP_RUNNING = 0x8922, 0x0041
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Profile:
    """How bad a link is: each way, for every packet.

    `delay_ms` is added to each direction; `bits_per_s` 0 means as fast as it comes;
    `queue_ms` is how much a slow line holds before it throws away.
    """

    delay_ms: float = 0.0
    loss: float = 0.0
    bits_per_s: int = 0
    queue_ms: float = 2_000.0


CLEAR = Profile()
# 5 % of the packets lost, 800 ms, 64 kbit/s: all of it each way.
POOR = Profile(delay_ms=800, loss=0.05, bits_per_s=64_000)
# 1 % lost each way, 150 ms each way: a mobile network in the hills.
MOBILE = Profile(delay_ms=150, loss=0.01)


def enter() -> None:
    """Leave the machine's network for a fresh one. Call it before any thread starts.

    Raises NotMeasuredError, and never goes on in the network it came from.
    """
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    user, group = os.geteuid(), os.getegid()
    if not Path("/dev/net/tun").exists() or _libc.unshare(flags):
        raise NotMeasuredError(
            "network namespaces with /dev/net/tun are needed: run this as root on a"
            f" machine or in a container that allows them ({_errno()})"
        )
    if flags & _CLONE_NEWUSER:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _bring_up("lo")


class Link:
    """The relay as seen from the servers' side."""

    def __init__(self, *, seed: int = 1) -> None:
        self._relay = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._link", str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._relay.terminate()
        self._relay.wait(10)

    @property
    def enter_devices(self) -> list[str]:
        """Return the beginning of a command that runs on the devices' side."""
        return ["nsenter", f"--net=/proc/{self._relay.pid}/ns/net", "--"]

    def set(self, profile: Profile) -> None:
        """Make the link this bad from now on."""
        self._ask({"profile": asdict(profile)})

    def cut(self) -> None:
        """Carry nothing, and tell nobody."""
        self._ask({"cut": True})

    def mend(self) -> None:
        """Carry again."""
        self._ask({"cut": False})

    def counts(self) -> dict[str, dict[str, int]]:
        """Return what was carried, lost and thrown away `down` and `up`."""
        return self._ask({})

    def _ask(self, words: dict[str, Any]) -> dict[str, Any]:
        check(self._relay.stdin, "the relay has no ear")
        if self._relay.stdin:
            self._relay.stdin.write(json.dumps(words) + "\n")
            self._relay.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self._relay.stdout.readline() if self._relay.stdout else ""
        check(line, "the relay ended")
        return dict(json.loads(line))


# --- the relay -----------------------------------------------------------------------


class Way:
    """One direction: packets read from one TUN device and written to the other."""

    def __init__(self, source: int, target: int, chance: random.Random) -> None:
        self.source, self._target, self._chance = source, target, chance
        self._queue: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self.counts = {"packets": 0, "bytes": 0, "lost": 0, "overflowed": 0}

    def take(self, profile: Profile, now: float, *, cut: bool) -> None:
        """Read what has come and decide what becomes of it."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(self.source, 65_536)
                if cut or self._chance.random() < profile.loss:
                    self.counts["lost"] += 1
                    continue
                begins = max(now, self._free_at)
                if (begins - now) * 1000 > profile.queue_ms:
                    self.counts["overflowed"] += 1
                    continue
                rate = profile.bits_per_s
                self._free_at = begins + (len(packet) * 8 / rate if rate else 0.0)
                due = self._free_at + profile.delay_ms / 1000
                # A line that has just become better lets nobody overtake.
                last = self._queue[-1][0] if self._queue else 0.0
                self._queue.append((max(due, last), packet))

    def give(self, now: float) -> float:
        """Hand over what is due; return when the next packet is."""
        while self._queue and self._queue[0][0] <= now:
            _due, packet = self._queue.popleft()
            with contextlib.suppress(OSError):
                os.write(self._target, packet)
            self.counts["packets"] += 1
            self.counts["bytes"] += len(packet)
        return self._queue[0][0] if self._queue else now + 1.0

    def clear(self) -> None:
        """Lose what is on its way."""
        self.counts["lost"] += len(self._queue)
        self._queue.clear()


def relay(seed: int) -> None:
    """Open both ends, then carry until standard input ends."""
    _libc.prctl(_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    near = _open_tun("servers", SERVER)
    check(not _libc.unshare(_CLONE_NEWNET), f"no second namespace ({_errno()})")
    _bring_up("lo")
    far = _open_tun("devices", DEVICES)
    chance = random.Random(seed)
    ways = {"down": Way(near, far, chance), "up": Way(far, near, chance)}
    profile, cut = CLEAR, False
    poll = select.poll()
    for handle in (near, far, 0):
        poll.register(handle, select.POLLIN)
    _say(ways)
    while True:
        now = time.monotonic()
        due = min(way.give(now) for way in ways.values())
        ready = dict(poll.poll(max(0.0, (due - time.monotonic()) * 1000)))
        now = time.monotonic()
        for way in ways.values():
            if way.source in ready:
                way.take(profile, now, cut=cut)
        if 0 in ready:
            line = sys.stdin.readline()
            if not line:
                return
            words = json.loads(line)
            if "profile" in words:
                profile = Profile(**words["profile"])
            cut = words.get("cut", cut)
            if cut:
                for way in ways.values():
                    way.clear()
            _say(ways)


def _say(ways: dict[str, Way]) -> None:
    told = {name: way.counts for name, way in ways.items()}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _open_tun(name: str, address: str) -> int:
    """Make a TUN device with an address in this namespace; return its handle."""
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = _IFF_TUN | _IFF_NO_PI
    fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        for order, value in (
            (_SIOCSIFADDR, address),
            (_SIOCSIFNETMASK, "255.255.255.0"),
        ):
            place = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(ask, order, struct.pack("16s16s8x", name.encode(), place))
        fcntl.ioctl(ask, _SIOCSIFMTU, struct.pack("16si20x", name.encode(), MTU))
    _bring_up(name)
    return handle


def _bring_up(name: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        words = struct.pack("16sH22x", name.encode(), _UP_RUNNING)
        fcntl.ioctl(ask, _SIOCSIFFLAGS, words)


def _errno() -> str:
    return os.strerror(ctypes.get_errno())


def main(arguments: Sequence[str]) -> None:
    """Be the relay."""
    relay(int(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
