"""The pole as one: what stands behind the sound card, and what is known of it.

The amplifier is switched on so early that it is awake when planned sound begins. What
was not planned (an alert, a test) switches it on at once and begins one lead later,
never more; a relay that cannot be switched holds no sound back. The ear listens around
each sound. One thread does both; the audio thread only asks and notes.
"""

import logging
import math
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from nguon.agent.drivers.ear import Ear
from nguon.agent.drivers.hearing import HEARD, UNHEARD, Judgement
from nguon.agent.drivers.interface import Driver
from nguon.agent.drivers.lines import Chip, Inputs, open_chip
from nguon.agent.drivers.modem import Modem
from nguon.agent.drivers.power import Power
from nguon.agent.drivers.speakerline import SpeakerLine
from nguon.agent.drivers.wiring import Wiring
from nguon.agent.player import Outlet
from nguon.agent.voice import RATE
from nguon.core import beats

log = logging.getLogger(__name__)

# The ear begins this long before a sound, to know how loud the place is without us.
LISTEN_S = 1.5
# It goes on listening so long after, for what is still on its way.
LINGER_S = 1.5
JUDGE_S = 10.0
# The relay has a little more than its lead, so that a late thread delays no sound.
EARLY_S, FORGET_S = 0.1, 10.0
# The relay's own answer comes within this; without it sound begins all the same.
PATIENCE_S = 0.05
_LONGEST_S, _BUSY_S = 30.0, 0.1


class Pole(Outlet):
    """The wires of one pole, at work."""

    name = "amplifier"

    def __init__(
        self,
        wiring: Wiring,
        *,
        monotonic: Callable[[], float],
        contact: Callable[[str, bool], None] = lambda _name, _closed: None,
        measured: Callable[[Judgement], None] = lambda _judgement: None,
        root: Path = Path("/"),
        chip: Chip | None = None,
        modem: Modem | None = None,
    ) -> None:
        """Open what is wired. Raises NoLinesError.

        `contact` and `measured` are called from threads of the pole.
        """
        self._wiring = wiring
        self._monotonic = monotonic
        self._contact = contact
        self._measured = measured
        wires = wiring.amplifier
        self._relay = wires.relay is not None
        self._lead, self._tail = wires.lead_ms / 1000, wires.tail_ms / 1000
        self._chip = chip or open_chip(
            wiring.chip, inputs=wiring.inputs, output=wires.relay
        )
        has_inputs = self._chip is not None and bool(wiring.inputs)
        self.inputs = (
            Inputs(self._chip, changed=self._line_changed)
            if self._chip is not None and has_inputs
            else None
        )
        heard = wiring.microphone
        self.ear = Ear(heard, monotonic=monotonic) if heard.command else None
        if modem is None and wiring.modem:
            modem = Modem(wiring.modem, monotonic=monotonic)
        self._modem = modem
        self.drivers: list[Driver] = [
            self,
            Power(wiring.power, self.inputs, root=root),
            SpeakerLine(wiring.line, self.inputs),
        ]
        if self._modem:
            self.drivers.append(self._modem)
        self._lock = threading.Lock()
        self._woken = threading.Event()
        # When the next sound is due, since when it waits for the amplifier, until when
        # one is on, since when the relay is on.
        self._expected = math.inf
        self._asked = math.inf
        self._sounded = -math.inf
        self._on_since = math.inf
        self._broken = False
        self._is_dead = False
        self._deaf = False
        self._last: Judgement | None = None
        self._judged = -math.inf
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="pole", daemon=True)

    # --- life ------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to watch and to switch."""
        if self.inputs:
            self.inputs.start()
        if self._modem:
            self._modem.start()
        if self._relay or self.ear:
            self._thread.start()

    def close(self) -> None:
        """Switch off, and let everything go."""
        self._ending = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        if self._modem:
            self._modem.close()
        if self.inputs:
            self.inputs.close()
        if self.ear:
            self.ear.rest()
        if self._chip:
            try:
                self._chip.close()
            except OSError as error:
                log.warning("the relay cannot be switched off: %s", error)

    # --- the player's side: quick, and never waiting for a wire -----------------------

    def expect(self, mono: float) -> None:
        """Learn that something shall sound from `mono` on; infinity: nothing shall."""
        self._expected = mono
        if mono == math.inf:
            self._asked = mono
        self._woken.set()

    def ready(self, mono: float) -> float:
        """Return from when on sound that is due at `mono` is really heard.

        Whoever is told "now" has the amplifier: it is not switched off under a sound.
        What nobody answers (a relay that hangs) holds sound back for one lead at most.
        """
        if not self._relay or self._broken:
            return mono
        with self._lock:
            if self._on_since < math.inf:
                begins = max(mono, self._on_since + self._lead)
                self._sounded = max(self._sounded, begins)
                return begins
        if self._asked > mono:
            self._asked = mono
            self.expect(mono)
        return max(mono, self._asked + self._lead + PATIENCE_S)

    def passed(self, mono: float, energy: float, samples: int) -> None:
        """Note what came out: called by the audio thread for each block of sound."""
        if self._expected <= mono:
            self._expected = math.inf
        self._asked = math.inf
        self._sounded = mono + samples / RATE
        if self.ear:
            self.ear.passed(mono, energy, samples)

    # --- what is known ----------------------------------------------------------------

    def read(self) -> Mapping[str, object]:
        """Return `amplifier` and `heard`. Raises OSError when the lines are broken."""
        found: dict[str, object] = {}
        awake = self._is_awake()
        if awake is not None:
            found["amplifier"] = awake
        if self._is_dead:
            found["heard"] = False
        elif self._last is not None:
            found["heard"] = self._last.word == HEARD
        return found

    def _is_awake(self) -> bool | None:
        if self._relay and self._broken:
            return False
        if self.inputs and self._wiring.amplifier.sense:
            return self.inputs.value("amplifier")
        return None

    def ended(self) -> int:
        """Take the end of a sound; return the grade of evidence that there is, or 0.

        An amplifier whose own sense was silent while we played is dead, though the
        sound was too short for anybody to look.
        """
        try:
            awake = self._is_awake()
        except OSError:
            awake = None
        self._is_dead = awake is False
        found = self.judge()
        if found is not None and found.word == HEARD:
            return beats.MEASURED
        return beats.AMPLIFIED if awake else 0

    def judge(self) -> Judgement | None:
        """Say what the ear has heard of the sound that is on or has just ended."""
        if self.ear is None:
            return None
        found = self.ear.judge()
        self._judged = self._monotonic()
        if found.word in {HEARD, UNHEARD}:
            self._last = found
            self._measured(found)
        return found

    def _line_changed(self, name: str, value: bool) -> None:  # noqa: FBT001  (a reading)
        kind, _, contact = name.partition(" ")
        if kind == "contact":
            self._contact(contact, value)

    # --- its thread ------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending:
            self._woken.clear()
            self._switch()
            self._attend()
            self._woken.wait(self._due())

    def _is_wanted(self, *, before: float, after: float) -> bool:
        """Say whether a sound is on, was until just now, or is about to begin.

        What was expected and never came (a file that cannot be opened) is forgotten.
        """
        mono, expected = self._monotonic(), self._expected
        near = expected - before <= mono <= expected + self._lead + FORGET_S
        return near or mono <= self._sounded + after

    def _due(self) -> float:
        """Return in how many seconds something has to be done."""
        if self._on_since < math.inf or (self.ear and self.ear.is_listening):
            return _BUSY_S
        mono = self._monotonic()
        moments = [self._expected - self._lead - EARLY_S, self._expected - LISTEN_S]
        return min([_LONGEST_S, *(m - mono for m in moments if m > mono)])

    def _switch(self) -> None:
        """Switch the amplifier as it is wanted."""
        if not self._relay or self._chip is None:
            return
        with self._lock:
            wanted = self._is_wanted(before=self._lead + EARLY_S, after=self._tail)
            if wanted is (self._on_since < math.inf):
                return
            self._on_since = math.inf
        try:
            self._chip.write(active=wanted)
        except OSError as error:
            if not self._broken:
                log.warning("the amplifier's relay is broken: %s", error)
            self._broken = True
            return
        self._broken = False
        if wanted:
            self._on_since = self._monotonic()

    def _attend(self) -> None:
        """Listen around a sound, and judge a long one now and then."""
        if self.ear is None:
            return
        wanted = self._is_wanted(before=LISTEN_S, after=LINGER_S)
        if wanted and not self.ear.is_listening:
            self._judged = self._monotonic()
            try:
                self.ear.listen()
                self._deaf = False
            except OSError as error:
                if not self._deaf:
                    log.warning("the microphone cannot be had: %s", error)
                self._deaf = True
        elif wanted and self._monotonic() - self._judged >= JUDGE_S:
            self.judge()
        elif not wanted and self.ear.is_listening:
            self.judge()
            self.ear.rest()
