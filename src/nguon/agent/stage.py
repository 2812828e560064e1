"""From decision to sound: asks `core.playout` and drives the player.

`look` is one turn, without waiting for anything: close what is over, start or cut
what must be, cue what comes next to its exact sample, say when to look again. What
takes time (opening a sound) runs beside it and leads to another look. What the
player tells back becomes the play record.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from nguon.agent.clock import Clock
from nguon.agent.holdings import Candidate, Holdings
from nguon.agent.media import MediaBrokenError, MediaShelf
from nguon.agent.player import Cue, Ending, Onset, Player, Sound
from nguon.agent.records import CHECKPOINT_S, Records
from nguon.agent.silences import Silences
from nguon.agent.store import Play, Store
from nguon.agent.streams import Receiver
from nguon.agent.trust import Trust
from nguon.agent.voice import (
    UnplayableError,
    Voice,
    tone,
)
from nguon.core.messages import Item, Rendition
from nguon.core.playout import (
    FOREVER,
    TEST_TONE_MS,
    Decision,
    Progress,
    Segment,
    Situation,
    Verdict,
    decide,
    is_endless,
    silence,
    timeline,
    volume_of,
)
from nguon.core.signing import DocumentRefusedError

log = logging.getLogger(__name__)

# Sounds are opened this long before their time.
AHEAD_MS = 8_000
_LONGEST_S = 30.0
_WATCH_S = 0.25
_SAME_S = 0.002
_SHORTEST_S = 0.005
# A relay that is joined late may be joined so far beside its exact position.
_JOIN_SLACK_MS = 200
# Sound that ends so much before its length was not what the plan promised.
_SHORT_MS = 1_000


@dataclass(frozen=True)
class Opened:
    """A voice made ready, and from which document's word."""

    voice: Voice
    document: str


class Stage:
    """Plays what the rules say, and writes down what happened."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        trust: Trust,
        holdings: Holdings,
        shelf: MediaShelf,
        player: Player,
        receiver: Receiver,
        output: str,
        wake: Callable[[], None],
        evidence: Callable[[], str] = lambda: "",
    ) -> None:
        self._clock = clock
        self._trust = trust
        self._holdings = holdings
        self._shelf = shelf
        self._player = player
        self._receiver = receiver
        self._spoken_out: set[str] = set()
        self._wake = wake
        # The volume that the settings or a command ask for, percent.
        self.volume = 100
        self._closing: dict[str, Verdict] = {}
        self._opened: dict[str, Opened] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._opening_keys: set[str] = set()
        self._records = Records(
            clock=clock,
            store=store,
            holdings=holdings,
            player=player,
            receiver=receiver,
            output=output,
            wake=wake,
            evidence=evidence,
        )
        self._silences = Silences(
            clock=clock, store=store, holdings=holdings, player=player, wake=wake
        )
        self._born = clock.monotonic()
        # When the next item that no plan names any more would have begun.
        self._lost_at = FOREVER

    # --- one turn ----------------------------------------------------------------

    def look(self) -> float:
        """Do what is due now; return in how many seconds to look again."""
        mono = self._clock.monotonic()
        ahead = self._player.ahead(mono)
        if ahead:
            return ahead + _SAME_S
        # A moment computed from a time must not fall a rounding error before it.
        at = int(self._clock.at(mono) + 0.01)
        self._silences.end(at)
        self._close_lost(at)
        self._close_untimed(at)
        self._tune(at)
        situation = self._situation(mono, at)
        listener = self._holdings.listener
        decision = decide(situation, listener, at=at)
        self._player.set_volume(volume_of(decision, base=self.volume))
        self._note(decision, at)
        self._perform(decision, mono)
        self._look_ahead(replace(situation, playing=self._on(mono)), mono, at)
        self._silences.tell(mono)
        self._records.checkpoint(mono)
        return self._next(decision, mono, at)

    def _tune(self, at: int) -> None:
        """Tune in to the streams that are near, leave the others, end what is over.

        Only addresses of documents that are proven at this very moment are opened.
        """
        wanted = {}
        for item in self._holdings.prepared.begun(at + AHEAD_MS):
            candidate = self._holdings.candidates[item.id]
            play = self._holdings.plays[item.id]
            if item.stream is None or self._is_unproven(candidate, play, at):
                continue
            # A tuner is kept until its item's record is written.
            if self._receiver.has(item.id) or (
                item.ends_at > at and self._is_proven(candidate, at)
            ):
                wanted[item.id] = item
        self._receiver.keep(wanted)
        on = self._player.sounding
        for key in wanted:
            if key != on and self._receiver.is_over(key):
                self._end_spoken(self._holdings.plays[key], at)

    def _is_proven(self, candidate: Candidate, at: int) -> bool:
        """Check the document of a stream once more; what fails ends the item."""
        try:
            self._trust.check_again(candidate.token, at=at)
        except DocumentRefusedError as error:
            self._trust.refuse(error, candidate.token, at=at, pushed=False)
            play = self._holdings.plays[candidate.item.id]
            self._finish(play, "failed", error.cause, at)
            return False
        return True

    def _end_spoken(self, play: Play, at: int) -> None:
        """End a stream that has ended, unless the player's own word is on its way."""
        if play.item not in self._spoken_out:
            self._spoken_out.add(play.item)
            self._wake()
        elif play.started_at:
            self._finish(play, "finished", "", at)
        else:
            self._finish(play, "missed", play.blocked or "source", at)

    def take_segment(self, payload: Mapping[str, object]) -> None:
        """Take a verified piece of live speech. Raises DocumentRefusedError."""
        self._receiver.take_segment(payload)

    def _on(self, mono: float) -> str:
        on = self._player.on(mono)
        return on[0] if on and on[0] not in self._closing else ""

    def _situation(self, mono: float, at: int) -> Situation:
        """Return what the rules need to know; of items, what is near in time."""
        holdings = self._holdings
        on = self._player.on(mono)
        progress, unready, since, hidden = {}, set(), {}, set()
        near = holdings.prepared.begun(at + AHEAD_MS)
        for item in near:
            key, play = item.id, holdings.plays[item.id]
            if self._is_unproven(holdings.candidates[key], play, at):
                hidden.add(key)
                continue
            rendition = item.rendition(holdings.settings.languages)
            if not self._is_ready(item, rendition):
                unready.add(key)
            sounded_ms = play.sounded_ms
            if on and on[0] == key and rendition:
                longest = on[1] if is_endless(item) else rendition.duration_ms - 1
                sounded_ms = min(on[1], longest)
            progress[key] = Progress(
                started_at=play.started_at,
                sounded_ms=sounded_ms,
                ended=key in self._closing,
                blocked=play.blocked,
            )
            since[key] = play.held_since
        prepared = holdings.prepared
        return Situation(
            items=prepared.without(hidden) if hidden else prepared,
            progress=progress,
            playing=self._on(mono),
            cancelled=frozenset(
                item.id for item in near if holdings.is_cancelled(item)
            ),
            stops=holdings.active_stops(at=at),
            quiet=holdings.quiet,
            unready=frozenset(unready),
            held_since=since,
            available_since=int(self._clock.at(self._born)),
            volumes=holdings.volumes,
            order=holdings.order,
            doubt_ms=self._clock.doubt_ms,
            rehearsing=bool(holdings.rehearsing),
        )

    def _is_ready(self, item: Item, rendition: Rendition | None) -> bool:
        """Say whether an item could sound now: its file is here, its source alive."""
        if item.stream is not None:
            return self._receiver.is_ready(item.id)
        return rendition is not None and rendition.sha256 in self._shelf.ready

    def _is_unproven(self, candidate: Candidate, play: Play, at: int) -> bool:
        """Say whether a document has run out, or only a trusted clock could tell."""
        if candidate.is_urgent and not self._clock.trusted:
            return True
        return candidate.not_after <= at and not play.started_at

    def _note(self, decision: Decision, at: int) -> None:
        """Write down what is over, and why something has to wait."""
        for key, reason in decision.waiting:
            play = self._holdings.plays[key]
            if play.blocked != reason:
                self._records.keep(replace(play, blocked=reason))
        for verdict in decision.over:
            self._close(verdict, at)

    def _close(self, verdict: Verdict, at: int) -> None:
        """End an item: at once, or when the player has fallen silent."""
        key = verdict.item.id
        if self._player.sounding == key:
            self._closing[key] = verdict
            self._player.cut()
            return
        cue = self._player.cued()
        if cue and cue.voice.key == key:
            self._player.swap(cue, None)
        self._finish(self._holdings.plays[key], verdict.outcome, verdict.cause, at)

    def _perform(self, decision: Decision, mono: float) -> None:
        """Let sound what was decided."""
        on = self._player.on(mono)
        item = decision.item
        if item is None:
            stopped = decision.rule in {"stopped", "quiet", "clock"}
            if on and (on[0] or stopped):
                self._player.cut()
            return
        if on and on[0] == item.id:
            return
        # The amplifier wakes while the sound is still being opened.
        self._player.expect(mono)
        voice = self._voice(item, decision.offset_ms, slack=True)
        if voice:
            self._player.cue(Cue(voice, mono, cut=True, talk_over=item.talk_over))

    def _look_ahead(self, situation: Situation, mono: float, at: int) -> None:
        """Cue what comes next to its exact moment, and drop what was cued wrongly."""
        pending = self._player.cued()
        if pending and pending.mono <= mono:
            return
        segment = self._next_segment(situation, at)
        if segment is None or segment.item is None:
            if pending:
                self._player.swap(pending, None)
            return
        start = self._clock.mono(segment.starts_at)
        item, key = segment.item, segment.item.id
        cut = "_cuts_" in segment.rule
        if pending and (pending.voice.key, pending.voice.offset_ms) == (
            key,
            segment.offset_ms,
        ):
            if abs(pending.mono - start) > _SAME_S or pending.cut != cut:
                self._player.swap(pending, replace(pending, mono=start, cut=cut))
            return
        if pending:
            self._player.swap(pending, None)
        voice = self._voice(item, segment.offset_ms, slack=False)
        if voice:
            self._player.cue(Cue(voice, start, cut=cut, talk_over=item.talk_over))

    def _next_segment(self, situation: Situation, at: int) -> Segment | None:
        """Return the next change of what sounds, if it is near."""
        listener, first = self._holdings.listener, None
        for segment in timeline(situation, listener, start=at, end=at + AHEAD_MS):
            if not isinstance(segment, Segment):
                continue
            if first is None:
                first = segment
            elif segment.item is not None and (
                first.item is None or segment.item.id != first.item.id
            ):
                return segment
            elif segment.item is None and first.item is not None:
                first = segment
        return None

    # --- sounds ------------------------------------------------------------------

    def _voice(self, item: Item, offset_ms: int, *, slack: bool) -> Sound | None:
        """Return an opened sound, or begin to open it and return None."""
        key = item.id
        if item.stream is not None:
            return self._receiver.voice(key, offset_ms=offset_ms)
        rendition = item.rendition(self._holdings.settings.languages)
        if rendition is None:
            return None
        candidate = self._holdings.candidates[key]
        opened = self._opened.get(key)
        if opened and opened.document == candidate.document:
            beside = abs(opened.voice.offset_ms - offset_ms)
            if beside <= (_JOIN_SLACK_MS if slack else 0):
                return self._opened.pop(key).voice
        if key not in self._opening_keys:
            self._opening_keys.add(key)
            task = asyncio.create_task(
                self._open(candidate, rendition, offset_ms), name=f"open {key}"
            )
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        return None

    async def _open(
        self, candidate: Candidate, rendition: Rendition, offset_ms: int
    ) -> None:
        """Check document and bytes once more, decode the beginning, look again."""
        key, at = candidate.item.id, self._clock.now()

        def work() -> Voice:
            self._trust.check_again(candidate.token, at=at)
            return Voice.open(
                key,
                self._shelf.load(rendition.sha256),
                offset_ms=offset_ms,
                duration_ms=rendition.duration_ms,
                loop_ms=candidate.item.ends_at - at if candidate.item.loop else 0,
            )

        try:
            voice = await asyncio.to_thread(work)
            self._opened = {k: o for k, o in self._opened.items() if self._is_open(k)}
            self._opened[key] = Opened(voice, candidate.document)
        except MediaBrokenError:
            log.warning("stage: a sound was not what its name says")
        except (DocumentRefusedError, UnplayableError) as error:
            cause = getattr(error, "cause", "unplayable")
            log.warning("stage: an item cannot sound: %s", cause)
            if isinstance(error, DocumentRefusedError):
                self._trust.refuse(error, candidate.token, at=at, pushed=False)
            self._finish(self._holdings.plays[key], "failed", cause, at)
        finally:
            self._opening_keys.discard(key)
            self._wake()

    def _is_open(self, key: str) -> bool:
        play = self._holdings.plays.get(key)
        return bool(play and not play.outcome and key in self._holdings.candidates)

    # --- what the player tells -----------------------------------------------------

    def heard(self, word: Onset | Ending) -> None:
        """Write down what the player measured."""
        if word.key:
            if isinstance(word, Onset):
                self._records.begun(word)
            else:
                self._ended(word)
        if isinstance(word, Ending):
            self._silences.silent_since = word.mono
            self._silences.tell(self._clock.monotonic())
        self._wake()

    def _ended(self, word: Ending) -> None:
        play = self._holdings.plays.get(word.key)
        verdict = self._closing.pop(word.key, None)
        if play is None or play.outcome:
            return
        play = self._records.with_stretch(play, word)
        at = round(self._clock.at(word.mono))
        if word.complete:
            missing = self._records.missing_ms(play)
            if missing > _SHORT_MS:
                self._finish(play, "failed", "sound_short", at)
            else:
                self._finish(play, "finished", "", at)
        elif verdict:
            self._finish(play, verdict.outcome, verdict.cause, at)
        else:
            self._records.keep(play)

    # --- what is over ----------------------------------------------------------------

    def _finish(self, play: Play, outcome: str, cause: str, at: int) -> None:
        """Close an item for good, with its record, and let go of its sound."""
        if not play.outcome:
            self._opened.pop(play.item, None)
        self._records.finish(play, outcome, cause, at)

    def _close_lost(self, at: int) -> None:
        """Close items that no held document names any more.

        One that has not begun is told at its time: until then it may come back.
        """
        on = self._player.on(self._clock.monotonic())
        self._lost_at = FOREVER
        for key, play in list(self._holdings.plays.items()):
            if play.outcome or key in self._closing or key in self._holdings.candidates:
                continue
            withdrawn = self._holdings.is_withdrawn(play)
            if on and on[0] == key:
                if withdrawn:
                    self._player.cut()
                continue
            if self._holdings.may_return(play, at=at):
                self._lost_at = min(self._lost_at, play.planned_at)
            elif withdrawn or play.ends_at <= at:
                self._finish_lost(play, withdrawn=withdrawn, at=at)

    def _finish_lost(self, play: Play, *, withdrawn: bool, at: int) -> None:
        if withdrawn:
            self._finish(play, "cancelled", "withdrawn", at)
        elif play.started_at:
            self._finish(play, "cut", "window", at)
        else:
            self._finish(play, "missed", play.blocked or "offline", at)

    def _close_untimed(self, at: int) -> None:
        """Close what could not sound because time or document had run out."""
        for key, candidate in self._holdings.candidates.items():
            play = self._holdings.plays.get(key)
            if play is None or play.outcome or key in self._closing:
                continue
            if not self._is_unproven(candidate, play, at):
                continue
            untimed = candidate.is_urgent and not self._clock.trusted
            if untimed and candidate.item.ends_at > at:
                continue
            cause = "clock" if untimed else play.blocked or "offline"
            outcome = "cut" if play.started_at else "missed"
            self._close(Verdict(candidate.item, outcome, cause), at)

    # --- the test tone -----------------------------------------------------------

    def test(self, *, loudest: int = 100) -> str:
        """Sound the test tone; where it may not, return why: no noise is exempt.

        `loudest` percent makes it quieter, never louder, than all else is at this
        hour. Without any plan nobody has told this device when it must be quiet.
        """
        mono = self._clock.monotonic()
        at = int(self._clock.at(mono))
        if not self._player.silent or self._player.on(mono):
            return "outranked"
        if not self._holdings.knows_hours(at):
            return "no_plan"
        why = silence(self._situation(mono, at), at=at, length_ms=TEST_TONE_MS)
        if not why:
            self._player.cue(Cue(tone(), mono, cut=False, loudest=loudest))
        return why

    def occupied(self, *, within_ms: int) -> str:
        """Say what sounds or begins within so long: emergency, sounding, due, or "".

        What began and is silent (quiet hours, a better item) holds nothing up.
        """
        mono = self._clock.monotonic()
        at = int(self._clock.at(mono))
        items = [
            item
            for item in self._holdings.prepared.begun(at + within_ms)
            if item.ends_at > at and not self._holdings.is_cancelled(item)
        ]
        if any(item.rank == "emergency" for item in items):
            return "emergency"
        if self._on(mono) or not self._player.silent:
            return "sounding"
        return "due" if any(item.starts_at > at for item in items) else ""

    # --- stops -----------------------------------------------------------------------

    def stop_arrived(self, document: str) -> None:
        """Remember when a stop came, and fall silent in this very turn."""
        self._silences.arrived(document)
        self.look()

    def tell_stops(self) -> None:
        """Tell of stops and of their ends: all a device without sound has to do."""
        self._silences.end(self._clock.now())
        self._silences.tell(self._clock.monotonic())

    # --- when to look again ----------------------------------------------------------

    def _next(self, decision: Decision, mono: float, at: int) -> float:
        """Return the seconds until something may change by itself."""
        next_start = self._holdings.prepared.next_start(at + AHEAD_MS)
        until = min(decision.until, next_start - AHEAD_MS, self._lost_at)
        wait = self._clock.mono(until) - mono
        if not self._player.silent:
            wait = min(wait, CHECKPOINT_S)
        if self._receiver.tuners:
            # Nobody tells that a source has died; it has to be looked at.
            wait = min(wait, _WATCH_S)
        return max(_SHORTEST_S, min(_LONGEST_S, wait))

    async def hush(self) -> None:
        """Fade out before the process ends; what was on goes on after a restart."""
        self._player.cut()
        for _attempt in range(10):
            if self._player.silent:
                return
            await asyncio.sleep(0.02)
