"""A line between two ports of this machine that can be cut and mended.

Tests and benches put it where a cable or a radio link would be.
"""

import contextlib
import socket
import threading


class Line:
    """Carries TCP from a port of its own to another port."""

    def __init__(self, port: int, to: int) -> None:
        self._port, self._to = port, to
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def mend(self) -> None:
        """Carry from now on."""
        if self._listener is not None:
            return
        self._listener = socket.create_server(("127.0.0.1", self._port))
        accept = threading.Thread(
            target=self._accept, args=(self._listener,), name="line", daemon=True
        )
        accept.start()

    def cut(self) -> None:
        """Break what is carried, and let nobody through any more."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _address = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to), timeout=5)
            except OSError:
                if self._listener is not listener:
                    return
                continue
            far.settimeout(None)
            with self._lock:
                self._ends |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(
                    target=self._carry, args=pair, name="line", daemon=True
                ).start()

    def _carry(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(64 * 1024):
                there.sendall(data)
        with self._lock:
            self._ends -= {here, there}
        for end in (here, there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
