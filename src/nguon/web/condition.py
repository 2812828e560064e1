"""How the whole system is, for whoever keeps it running: a page, and figures.

Each row asks one thing, and says what to do when it is not well. Nothing here may
fail because what it looks at has failed.
"""

import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, connection
from django.db.models import Count

from nguon.audit import archives, months
from nguon.core.metrics import GAUGE, Metric, figure
from nguon.fleet import telltale
from nguon.fleet.models import ACTIVE, Device, DeviceEvent, OutboxMessage, StrayMessage

GOOD, BAD, UNKNOWN = "good", "bad", "unknown"
OLD_OUTBOX = timedelta(seconds=10)
MANY_WAITING = 20_000
LOW_DISK_GB = 5.0
TABLES = {
    "fleet.DeviceEvent": "Sự kiện thiết bị",
    "schedule.PlayRecord": "Nhật ký phát",
}


@dataclass(frozen=True)
class Row:
    """One thing that is looked at; `advice` says what to do when it is bad."""

    key: str
    label: str
    state: str
    value: str
    advice: str = ""


def look(*, at: datetime) -> list[Row]:
    """Look at everything; a part that cannot be asked is told as such."""
    gateway = telltale.ask(settings.GATEWAY_HEALTH)
    worker = telltale.ask(settings.WORKER_HEALTH)
    made = telltale.ask(settings.RELAYS_HEALTH)
    rows = [*_gateway(gateway), _worker(worker), _relays(made)]
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        took = (time.monotonic() - began) * 1000
        rows.append(_database(took))
        rows += [_outbox(at), _pending(gateway), _devices(gateway)]
        rows += [*_months(), _archive()]
    except Error:
        rows.append(
            Row("database", "Cơ sở dữ liệu", BAD, "không trả lời",
                "Xem dịch vụ cơ sở dữ liệu và ổ đĩa của nó.")
        )  # fmt: skip
    return [*rows, _disk()]


def _months() -> list[Row]:
    """Return how the tables of months are: sizes, strays, the month to come."""
    rows = []
    for kept in months.tables():
        label = TABLES.get(kept.model, kept.model)
        if not months.is_partitioned(kept.table):
            rows.append(Row(kept.table, label, GOOD, "một bảng, không chia tháng"))
            continue
        parts = months.list_parts(kept)
        strays = months.count_strays(kept)
        size = sum(part.size for part in parts) / 1024**2
        held = [part for part in parts if part.month]
        value = (
            f"{len(held)} tháng ({held[0].month:%m/%Y}–{held[-1].month:%m/%Y}),"
            f" {size:,.0f} MB".replace(",", ".")
            if held
            else "chưa có tháng nào"
        )
        if strays:
            value += f"; {strays} dòng ngoài mọi tháng"
        rows.append(
            Row(kept.table, label, BAD if strays or not held else GOOD, value,
                "Có dòng mang thời điểm lạ, hoặc tháng chưa được tạo: xem tiến trình"
                " nền, rồi chạy “manage archive_months” để xem các tháng.")
        )  # fmt: skip
    return rows


def _archive() -> Row:
    last = archives.last_archive()
    if last is None:
        return Row("archive", "Lưu trữ", GOOD, "chưa tháng nào ra tệp")
    there = (archives.folder() / last.file).exists()
    made = last.made_at.astimezone(months.LOCAL)
    value = (
        f"lần cuối {made:%H:%M %d/%m/%Y}: {last.file}, {last.rows:,} dòng,"
        f" {last.size / 1024**2:,.1f} MB"
    )
    return Row(
        "archive",
        "Lưu trữ",
        GOOD if there else BAD,
        value,
        "Tệp lưu trữ không còn ở chỗ của nó: chép lại từ bản sao lưu.",
    )


def _gateway(told: telltale.Condition | None) -> list[Row]:
    restart = "Xem nhật ký: journalctl -u nguon-gateway; khởi động lại dịch vụ."
    if told is None:
        return [
            Row("gateway", "Cổng kết nối", BAD, "không trả lời", restart),
            Row("bus", "Máy chủ NATS", UNKNOWN, "chưa biết"),
        ]
    bus = bool(told.data.get("bus"))
    advice = "Xem nhật ký: journalctl -u nguon-nats; kiểm tra cổng và ổ đĩa."
    return [
        Row("gateway", "Cổng kết nối", GOOD, "đang chạy"),
        Row("bus", "Máy chủ NATS", GOOD if bus else BAD,
            "đang nối" if bus else "mất nối", advice),
    ]  # fmt: skip


def _worker(told: telltale.Condition | None) -> Row:
    label = "Tiến trình nền"
    if told is None:
        advice = "Xem nhật ký: journalctl -u nguon-worker; khởi động lại dịch vụ."
        return Row("worker", label, BAD, "không trả lời", advice)
    failing = ", ".join(told.data.get("failing", []))
    if failing:
        return Row("worker", label, BAD, f"hỏng việc: {failing}", "Xem nhật ký.")
    return Row("worker", label, GOOD, "đang chạy")


def _relays(told: telltale.Condition | None) -> Row:
    label = "Chuyển mã tiếp âm"
    if told is None:
        advice = "Xem nhật ký: journalctl -u nguon-relays; khởi động lại dịch vụ."
        return Row("relays", label, BAD, "không trả lời", advice)
    if not told.good:
        return Row("relays", label, BAD, "không hỏi được cơ sở dữ liệu", "Xem nhật ký.")
    away = ", ".join(told.data.get("away", []))
    if away:
        advice = "Xem trang Nguồn tiếp âm; gọi đơn vị phát nguồn."
        return Row("relays", label, BAD, f"không có tiếng: {away}", advice)
    made = told.data.get("made", 0)
    return Row("relays", label, GOOD, f"đang chuyển {made} nguồn")


def _database(took_ms: float) -> Row:
    name = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    return Row("database", "Cơ sở dữ liệu", GOOD, f"{name}, {took_ms:.0f} ms")


def _outbox(at: datetime) -> Row:
    age = outbox_age(at=at)
    text = f"cũ nhất {age.total_seconds():.0f} giây" if age else "không có tin chờ"
    return Row(
        "outbox", "Tin chờ gửi xuống", BAD if age > OLD_OUTBOX else GOOD, text,
        "Tin gửi xuống thiết bị đang bị giữ lại: xem cổng kết nối.",
    )  # fmt: skip


def _pending(told: telltale.Condition | None) -> Row:
    unrecorded = DeviceEvent.objects.filter(recorded_at__isnull=True).count()
    waiting = told.data.get("waiting") if told else None
    total = unrecorded + int(waiting or 0)
    state = UNKNOWN if waiting is None else BAD if total > MANY_WAITING else GOOD
    return Row(
        "waiting", "Sự kiện chờ ghi", state, f"{total:,}".replace(",", "."),
        "Cơ sở dữ liệu ghi không kịp: xem ổ đĩa và tải của máy.",
    )  # fmt: skip


def _devices(told: telltale.Condition | None) -> Row:
    active = Device.objects.filter(state=ACTIVE)
    total, connected = active.count(), active.filter(connected=True).count()
    state = BAD if told and total and not connected else GOOD
    return Row(
        "devices", "Thiết bị đang nối", state, f"{connected} / {total}",
        "Không thiết bị nào nối được: xem máy chủ NATS, chứng chỉ và tường lửa.",
    )  # fmt: skip


def _disk() -> Row:
    usage = shutil.disk_usage(settings.DATA_DIR)
    free = usage.free / 1024**3
    state = BAD if free < LOW_DISK_GB else GOOD
    text = f"còn {free:.1f} GB".replace(".", ",")
    return Row("disk", "Ổ đĩa dữ liệu", state, text, "Dọn hoặc thêm ổ đĩa ngay.")


def outbox_age(*, at: datetime) -> timedelta:
    """Return how long the oldest message has been waiting for the gateway."""
    unsent = OutboxMessage.objects.filter(sent_at=None, expired_at=None)
    first = unsent.order_by("pk").values_list("created_at", flat=True).first()
    return max(timedelta(0), at - first) if first else timedelta(0)


def figures(*, at: datetime) -> list[Metric]:
    """Return what the database knows, as figures. Raises what the database raises."""
    rows = [
        ({"state": row["state"]}, float(row["n"]))
        for row in Device.objects.values("state").annotate(n=Count("pk")).order_by()
    ]
    connected = Device.objects.filter(state=ACTIVE, connected=True).count()
    unsent = OutboxMessage.objects.filter(sent_at=None, expired_at=None).count()
    unrecorded = DeviceEvent.objects.filter(recorded_at=None).count()
    age, free = outbox_age(at=at), shutil.disk_usage(settings.DATA_DIR).free
    strays = StrayMessage.objects.count()
    outside = [
        ({"table": kept.table}, float(months.count_strays(kept)))
        for kept in months.tables()
    ]
    return [
        Metric("nguon_devices", GAUGE, "Devices by standing.", rows),
        figure("nguon_devices_online", GAUGE, "Devices known on the bus.", connected),
        figure("nguon_outbox_waiting", GAUGE, "Messages to be carried.", unsent),
        figure(
            "nguon_outbox_age_seconds", GAUGE, "Age of the oldest.", age.total_seconds()
        ),
        figure("nguon_events_unrecorded", GAUGE, "Events to hand on.", unrecorded),
        figure("nguon_strays", GAUGE, "Messages kept aside.", strays),
        Metric("nguon_rows_outside_months", GAUGE, "Rows in no month.", outside),
        figure("nguon_disk_free_bytes", GAUGE, "Free on the data disk.", free),
    ]
