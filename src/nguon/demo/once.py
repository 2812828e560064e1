"""The main job, once, as people do it; every figure comes from what really happened.

1. Lan signs in, writes, hears and sends; nobody can approve it alone.
2. Minh fetches exactly the sound his player would, and approves that hash.
3. Every speaker, real and simulated, sounds it once; the board and the page show it.
4. A second one, planned ahead, shows how exactly real speakers start.
5. Quân stops a third in the middle; two persons lift the stop.
6. The WAV files of the real speakers are compared with what was approved.
"""

import hashlib
import http
import math
import time
import urllib.request
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nguon.demo import wav
from nguon.demo.client import JSON, Client
from nguon.demo.stack import Stack

ONSET_MS = 20
CORRELATION = 0.98
STOP_MS = 5000
START_ERROR_MS = 150
ASK_SECONDS = 0.25
LEAD_SECONDS = 6

MAIN = (
    "Lịch tiêm vắc-xin sởi",
    "Trạm Y tế tiêm vắc-xin sởi miễn phí sáng 25/11/2026, từ 7h30.",
)
PLANNED = (
    "Lịch cắt điện",
    "Ngày mai cắt điện từ 8h00 đến 11h00 để sửa đường dây 22 kV.",
)
STOPPED = (
    "Kết quả xây dựng nông thôn mới",
    "Trong 11 tháng, bà con đã góp sức làm đường, trồng cây, giữ sạch làng xóm. " * 5,
)
ABSENT = ("Bản tin chưa ai duyệt", "Nếu nghe thấy câu này thì hệ thống đã sai.")


class NotProvenError(Exception):
    """Something that must happen did not; the message says what."""


class Story:
    """One telling of the main job on a running stack."""

    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.say = say
        self.facts: dict[str, Any] = {}
        self.lan: Client
        self.minh: Client
        self.quan: Client

    def tell(self) -> dict[str, Any]:
        """Do it all and return the facts. Raises NotProvenError."""
        stack = self.stack
        self.facts["units_loaded"] = stack.world["units_loaded"]
        self.say("Chị Lan, anh Minh, anh Quân đăng nhập")
        self.lan, self.minh, self.quan = (
            stack.login(name) for name in ("lan", "minh", "quan")
        )
        absent = self._send("absent", ABSENT, writer=self.quan)
        self._main()
        self._planned()
        self._stop()
        self.facts["refused"]["http_own_by_an_approver"] = self._refuse(
            self.quan, absent
        )
        self._prove_absent(absent)
        self._prove_sound()
        return self.facts

    # --- the steps ---------------------------------------------------------------

    def _main(self) -> None:
        """Write, refuse the author, hear, approve, sound, show."""
        uid = self._send("main", MAIN)
        self.facts["bulletin_id"] = self._main_bulletin
        self.facts["refused"] = self._refusals(uid)
        sound, asked_ms = self._approve(uid)
        self._wait_shown(uid)
        told = self._wait_sounded(uid)
        plays = told["plays"]
        self.facts |= {
            "content_sha256": told["content_sha256"],
            "approved_sha256": told["sha256"],
            "approved_by_second_person": told["approved_by"] == "minh",
            "devices_targeted": told["targeted"],
            "devices_sounded": _count(plays, outcome="finished", kind="speaker"),
            "devices": self._apart(plays),
            "play_records": len(plays),
            "boards_shown": sum(1 for p in plays if p["shown_at"]),
            "latency_ms": self._latency(plays, asked_ms),
        }
        _check(
            self.facts["approved_by_second_person"], "không phải người thứ hai duyệt"
        )
        pairs = {(play["device"], play["item"]) for play in plays}
        _check(
            len(pairs) == len(plays) == told["targeted"], "thiếu hoặc thừa nhật ký phát"
        )
        hashes = {
            "heard_by_approver": hashlib.sha256(sound).hexdigest(),
            "signed": told["signed_sha256"],
            "checked_by_devices": told["prepared_sha256"],
            "on_real_devices": sorted(self._held(hashlib.sha256(sound).hexdigest())),
        }
        self.facts["sound_sha256"] = hashes
        heard = hashes["heard_by_approver"]
        _check(hashes["signed"] == [heard], "kế hoạch có mã băm khác bản đã nghe")
        _check(hashes["on_real_devices"] == [heard], "thiết bị giữ tệp khác")
        self._main_told, self._main_sound = told, sound
        self._public()

    def _planned(self) -> None:
        """Approve one ahead of its time; real speakers start it on the dot."""
        uid = self._send("planned", PLANNED, timing="once")
        sound, _asked = self._approve(uid)
        told = self._wait_sounded(uid)
        errors = [
            abs(play["started_at"] - play["planned_at"])
            for play in told["plays"]
            if play["kind"] == "speaker" and not play["simulated"]
        ]
        self.facts["start_error_ms"] = distribution(errors)
        _check(max(errors) <= START_ERROR_MS, f"bắt đầu lệch {max(errors):.0f} ms")
        self._planned_told, self._planned_sound = told, sound

    def _stop(self) -> None:
        """Silence the commune in the middle of a bulletin; two persons lift it."""
        uid = self._send("stopped", STOPPED)
        self._stopped_sound, _asked = self._approve(uid)
        self._wait(
            lambda: (
                self.minh.ask(f"/phat/{uid}/so-lieu/")["sounding"] >= self._speakers()
            ),
            "chưa phát đủ loa để thử lệnh dừng",
        )
        self.say("Anh Quân dừng phát cả xã")
        asked_ms = time.time() * 1000
        until = datetime.now(UTC) + timedelta(hours=1)
        order = self.quan.tell(
            "/dung-phat/",
            unit=self.stack.world["home"],
            until=until.isoformat(),
            reason="Diễn tập dừng phát",
        )
        told = self._wait_over(uid)
        ended = [p["ended_at"] for p in told["plays"] if p["outcome"] == "stopped"]
        _check(len(ended) == self._speakers(), f"chỉ {len(ended)} loa dừng theo lệnh")
        silent = [max(0.0, moment - asked_ms) for moment in ended]
        self.facts["stop_to_silent_ms"] = distribution(silent)
        _check(max(silent) <= STOP_MS, f"im lặng sau {max(silent):.0f} ms")
        self._stopped_told = told
        self._lift(order["stop_uid"])

    def _lift(self, uid: str) -> None:
        self.quan.tell(f"/dung-phat/{uid}/xin-phat-lai/")
        alone = self.quan.post(f"/dung-phat/{uid}/cho-phat-lai/", {}, JSON)
        _check(alone.status >= http.HTTPStatus.BAD_REQUEST, "một người tự bỏ lệnh dừng")
        self.minh.tell(f"/dung-phat/{uid}/cho-phat-lai/")
        self.facts["lift_needs_two"] = alone.json()["code"]

    def _prove_absent(self, uid: str) -> None:
        """See that what nobody approved is nowhere."""
        told = self.stack.query("tell_broadcast", uid)
        page = Client(self.stack.web_url).get(f"/xa/{self.stack.world['home']}/")
        absent = (
            not told["items"]
            and not told["plays"]
            and not told["signed_sha256"]
            and ABSENT[0] not in page.text
            and all(ABSENT[0] not in text for text in self._board_pages())
        )
        self.facts["unapproved_absent"] = absent
        _check(absent, "bản tin chưa duyệt đã lọt ra")

    def _prove_sound(self) -> None:
        """Compare the real speakers' WAV files with what was approved."""
        self.say("So tệp WAV của loa thật với tiếng đã duyệt")
        files = []
        for number in range(self.stack.agents):
            for path in self.stack.wavs(number):
                files.append(self._prove_file(number, path))
        self.facts["wav_files"] = files
        _check(len(files) == self.stack.agents, "thiếu tệp WAV")

    def _prove_file(self, number: int, path: Path) -> dict[str, Any]:
        life = wav.read_life(path)
        uid = self.stack.agent_uid(number)
        sounds = []
        spans = []
        for name, told, mp3 in (
            ("main", self._main_told, self._main_sound),
            ("planned", self._planned_told, self._planned_sound),
            ("stopped", self._stopped_told, self._stopped_sound),
        ):
            play = next(one for one in told["plays"] if one["device"] == uid)
            began, ended = play["started_at"], play["ended_at"]
            length = ended - began if name == "stopped" else None
            found = wav.find(life, wav.decode(mp3), near_ms=began, length_ms=length)
            spans.append((began, ended))
            sounds.append(
                {
                    "item": name,
                    "onset_error_ms": round(found.onset_ms - began, 2),
                    "correlation": round(found.correlation, 5),
                }
            )
            _check(
                abs(found.onset_ms - began) <= ONSET_MS,
                f"{path.name}: {name} bắt đầu lệch {found.onset_ms - began:.1f} ms",
            )
            _check(
                found.correlation >= CORRELATION,
                f"{path.name}: {name} không khớp ({found.correlation:.3f})",
            )
        silent = wav.is_silent_between(life, spans)
        _check(silent, f"{path.name}: có tiếng ngoài các lượt phát")
        return {
            "file": path.relative_to(self.stack.folder).as_posix(),
            "seconds": round(len(life.samples) / wav.RATE, 2),
            "silent_between": silent,
            "sounds": sounds,
        }

    # --- small steps -------------------------------------------------------------

    def _send(
        self,
        name: str,
        text: tuple[str, str],
        writer: Client | None = None,
        timing: str = "now",
    ) -> str:
        """Write a bulletin and send it as Lan; return the uid of its broadcast."""
        self.say(f"Viết và gửi duyệt: {text[0]}")
        writer = writer or self.lan
        home = self.stack.world["home"]
        made = writer.tell("/ban-tin/moi/", unit=home, kind="priority")
        uid = made["bulletin_uid"]
        writer.tell(
            f"/ban-tin/{uid}/luu/",
            revision=made["revision"],
            title=text[0],
            body=text[1],
            klass="priority",
            field="5",
            languages="vi",
            languages_sent="1",
        )
        if name == "main":
            self._main_bulletin = uid
        self._hear(writer, uid)
        starts = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
        sent = writer.tell(
            f"/ban-tin/{uid}/phat/",
            timing=timing,
            units=home,
            starts_at=starts.isoformat(),
        )
        return str(sent["broadcast_uid"])

    def _hear(self, writer: Client, uid: str) -> None:
        """Have the sound of a draft made, and hear it before it is sent."""
        writer.tell(f"/ban-tin/{uid}/nghe/")

        def ready() -> bool:
            sounds = writer.ask(f"/ban-tin/{uid}/nghe/")["sounds"]
            return bool(sounds[0]["state"] == "ready")

        self._wait(ready, "máy chưa làm xong tiếng")

    def _approve(self, uid: str) -> tuple[bytes, float]:
        """Hear and approve as Minh; return the sound and when the request was sent."""
        self._wait(
            lambda: self.minh.ask(f"/duyet/{uid}/")["state"] == "waiting",
            "máy chưa làm xong tiếng",
        )
        seen = self.minh.ask(f"/duyet/{uid}/")
        sound = self.minh.get(seen["sounds"][0]["sound_url"])
        _check(sound.status == http.HTTPStatus.OK, "người duyệt không nghe được")
        _check(
            hashlib.sha256(sound.body).hexdigest() == seen["sounds"][0]["sha256"],
            "tiếng người duyệt nghe khác mã băm",
        )
        self.say("Anh Minh nghe và duyệt")
        asked_ms = time.time() * 1000
        self.minh.tell(f"/duyet/{uid}/phat/", sha256=seen["sha256"])
        return sound.body, asked_ms

    def _refusals(self, uid: str) -> dict[str, Any]:
        """Let Lan try to approve her own, over HTTP and in every other way."""
        self._wait(
            lambda: self.lan.ask(f"/duyet/{uid}/")["state"] == "waiting",
            "máy chưa làm xong tiếng",
        )
        return {
            "http": self._refuse(self.lan, uid),
            **self.stack.query("tell_refusals", uid),
        }

    def _refuse(self, who: Client, uid: str) -> dict[str, Any]:
        """Let somebody press the button for what they wrote; see them refused."""
        seen = who.ask(f"/duyet/{uid}/")
        own = who.post(f"/duyet/{uid}/phat/", {"sha256": seen["sha256"]}, JSON)
        _check(own.status == http.HTTPStatus.FORBIDDEN, f"tự duyệt: {own.status}")
        told = own.json()
        return {"status": own.status, "code": told["code"], "said": told["message"]}

    def _wait_sounded(self, uid: str) -> dict[str, Any]:
        told = self._wait_over(uid)
        speakers = _count(told["plays"], outcome="finished", kind="speaker")
        _check(
            speakers == self._speakers(),
            f"{speakers}/{self._speakers()} loa phát xong: {_causes(told['plays'])}",
        )
        return told

    def _wait_over(self, uid: str) -> dict[str, Any]:
        """Wait until every device has told its end; return the broadcast."""

        def over() -> bool:
            live = self.minh.ask(f"/phat/{uid}/so-lieu/")
            settled = live["sounded"] + live["broken_off"] + live["silent"]
            return bool(settled >= self._speakers() and not live["sounding"])

        self._wait(over, "chưa đủ loa báo về")
        return dict(self.stack.query("tell_broadcast", uid))

    def _wait_shown(self, uid: str) -> None:
        """Look at the boards as their kiosk browser does, until they tell of it."""

        def shown() -> bool:
            self._board_pages()
            live = self.minh.ask(f"/phat/{uid}/so-lieu/")
            return bool(live["shown"] >= self.stack.boards)

        self._wait(shown, "bảng tin không báo đã hiện")

    def _public(self) -> None:
        """See the bulletin on the commune's public page, with its sound."""
        visitor = Client(self.stack.web_url)
        address = f"/xa/{self.stack.world['home']}/"
        page = visitor.get(address)
        sound = visitor.get(f"{address}{self._main_told['uid']}.mp3")
        good = (
            page.status == sound.status == http.HTTPStatus.OK
            and MAIN[0] in page.text
            and sound.body == self._main_sound
        )
        self.facts["public_page_ok"] = good
        _check(good, "trang công khai không có bản tin")
        shown = [MAIN[0] in text for text in self._board_pages()]
        _check(all(shown), "bảng tin không hiện bản tin")
        _check(self.facts["boards_shown"] == len(shown), "bảng tin không báo đã hiện")

    def _board_pages(self) -> list[str]:
        first = self.stack.agents
        pages = []
        for number in range(first, first + self.stack.boards):
            with urllib.request.urlopen(
                self.stack.board_url(number), timeout=5
            ) as answer:
                pages.append(answer.read().decode())
        return pages

    def _held(self, sha256: str) -> Iterable[str]:
        """Return the hashes of the files that real speakers hold under this name."""
        found = set()
        for number in range(self.stack.agents):
            paths = [
                path
                for path in self.stack.agent_home(number).rglob(f"{sha256}*")
                if path.suffix != ".part"
            ]
            _check(len(paths) == 1, "loa thật không giữ tệp tiếng")
            found.add(hashlib.sha256(paths[0].read_bytes()).hexdigest())
        return found

    def _speakers(self) -> int:
        return self.stack.agents + self.stack.devices

    def _apart(self, plays: list[dict[str, Any]]) -> dict[str, Any]:
        """Count real and simulated devices apart."""
        found = {}
        for name, simulated in (("real", False), ("simulated", True)):
            own = [p for p in plays if p["simulated"] is simulated]
            speakers = [p for p in own if p["kind"] == "speaker"]
            found[name] = {
                "speakers": len(speakers),
                "sounded": _count(speakers, outcome="finished"),
                "boards": len(own) - len(speakers),
                "play_records": len(own),
            }
        return found

    def _latency(self, plays: list[dict[str, Any]], asked_ms: float) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in (
            ("approve_to_received", "received_at"),
            ("approve_to_sounded", "started_at"),
        ):
            speakers = [p for p in plays if p["kind"] == "speaker"]
            for group, own in (
                ("", speakers),
                ("_real", [p for p in speakers if not p["simulated"]]),
            ):
                found[name + group] = distribution(p[field] - asked_ms for p in own)
        return found

    def _wait(
        self, ready: Callable[[], bool], what: str, seconds: float = 60.0
    ) -> None:
        until = time.monotonic() + seconds
        while not ready():
            dead = self.stack.dead()
            _check(not dead, f"tiến trình đã dừng: {', '.join(dead)}")
            _check(time.monotonic() < until, what)
            time.sleep(ASK_SECONDS)


def distribution(values: Iterable[float]) -> dict[str, float]:
    """Return p50, p95, p99, max and n of some figures, in tenths."""
    ordered = sorted(values)
    if not ordered:
        return {"n": 0}

    def at(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)

    return {
        "p50": at(0.5),
        "p95": at(0.95),
        "p99": at(0.99),
        "max": round(ordered[-1], 1),
        "n": len(ordered),
    }


def _count(plays: list[dict[str, Any]], **wanted: Any) -> int:
    return sum(
        all(play[name] == value for name, value in wanted.items()) for play in plays
    )


def _causes(plays: list[dict[str, Any]]) -> str:
    found: dict[str, int] = {}
    for play in plays:
        word = f"{play['outcome'] or 'chưa xong'} {play['cause']}".strip()
        found[word] = found.get(word, 0) + 1
    return ", ".join(f"{word}: {count}" for word, count in sorted(found.items()))


def _check(good: object, sentence: str) -> None:
    if not good:
        raise NotProvenError(sentence)
