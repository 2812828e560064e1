"""Django's registration of the fleet room, and what its database itself refuses."""

from collections.abc import Sequence
from datetime import date
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils import timezone

from nguon.audit import guards, months
from nguon.fleet import keys

GUARDS = (
    guards.Guard(
        "nguon_fleet_document_immutable",
        "fleet_signeddocument",
        "UPDATE",
        "fleet.document_immutable: never changed",
        "NEW.jws <> OLD.jws OR NEW.seq <> OLD.seq OR NEW.kind <> OLD.kind"
        " OR NEW.uid <> OLD.uid OR NEW.not_after <> OLD.not_after",
    ),
    guards.Guard(
        "nguon_fleet_event_immutable",
        "fleet_deviceevent",
        "UPDATE",
        "fleet.event_immutable: never changed",
        "NEW.device_id <> OLD.device_id OR NEW.log <> OLD.log OR NEW.n <> OLD.n"
        " OR NEW.type <> OLD.type OR NEW.at <> OLD.at OR NEW.item <> OLD.item"
        " OR NEW.stored_at <> OLD.stored_at",
    ),
    guards.Guard(
        "nguon_fleet_event_kept",
        "fleet_deviceevent",
        "DELETE",
        "fleet.event_immutable: never deleted before it is archived",
        guards.NOT_ARCHIVED.format(model="fleet.DeviceEvent", column="stored_at"),
    ),
    guards.Guard(
        "nguon_fleet_release_immutable",
        "fleet_release",
        "UPDATE",
        "fleet.release_immutable: never changed",
        "NEW.sha256 <> OLD.sha256 OR NEW.size <> OLD.size"
        " OR NEW.version <> OLD.version OR NEW.kind <> OLD.kind OR NEW.make <> OLD.make"
        " OR NEW.uploaded_by_id <> OLD.uploaded_by_id"
        " OR NEW.media_id <> OLD.media_id"
        " OR (OLD.approved_sha256 <> ''"
        " AND NEW.approved_sha256 <> OLD.approved_sha256)",
    ),
)


def _keep_runs(month: date) -> None:
    """Note which events leave the database; models exist only after `ready`."""
    import_module("nguon.fleet.actions").keep_runs(month=month)


class FleetConfig(AppConfig):
    """The fleet room; its guards are set again after every migrate."""

    name = "nguon.fleet"

    def ready(self) -> None:
        """Register the guards, the check of the keys, and what is kept by month."""
        guards.register(self, GUARDS)
        checks.register(check_keys)
        months.register(
            months.Kept(
                "fleet.DeviceEvent",
                "stored_at",
                once=("device_id", "log", "n"),
                before_archive=_keep_runs,
            )
        )


def check_keys(**_options: Any) -> Sequence[checks.CheckMessage]:
    """Say at every start which keys are missing or near their end.

    Before the first `make_keys` there is nothing to say. A warning: what can still be
    signed, emergencies before all, goes on.
    """
    if not (settings.KEYS_DIR / "keyset.jws").exists():
        return []
    try:
        unready = keys.list_unready(at=timezone.now())
    except keys.CannotSignError as error:
        return [
            checks.Error(
                f"The keys in {settings.KEYS_DIR} cannot be used: {error}.",
                hint="Bring the folder back from the backup; never make new ones.",
                id="nguon.E030",
            )
        ]
    if not unready:
        return []
    return [
        checks.Warning(
            f"No key, or one near its end, for: {', '.join(unready)}."
            f" (Thiếu khóa ký hoặc khóa sắp hết hạn: {', '.join(unready)}.)",
            hint="Bring root.jwk back to the keys' folder for a moment and run"
            " `./nguon manage make_keys --renew`."
            " (Đưa root.jwk về thư mục khóa rồi chạy lệnh này.)",
            id="nguon.W031",
        )
    ]
