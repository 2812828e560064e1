"""Every change to a bulletin; nothing else in the project may save one."""

from nguon.newsroom.actions.approvals import (
    AlreadyApprovedError,
    ChangedError,
    NotSealedError,
    OwnBulletinError,
    check_sealed,
    record_approval,
    seal_version,
)
from nguon.newsroom.actions.drafts import (
    DraftChangedError,
    create_bulletin,
    draft_of,
    reuse_bulletin,
    save_draft,
)
from nguon.newsroom.actions.recordings import attach_recording
from nguon.newsroom.actions.renditions import (
    LeaseLostError,
    Sound,
    ask_rendition,
    claim_rendition,
    fail_rendition,
    finish_rendition,
    renew_lease,
    return_rendition,
)
from nguon.newsroom.actions.versions import freeze_version

__all__ = [
    "AlreadyApprovedError",
    "ChangedError",
    "DraftChangedError",
    "LeaseLostError",
    "NotSealedError",
    "OwnBulletinError",
    "Sound",
    "ask_rendition",
    "attach_recording",
    "check_sealed",
    "claim_rendition",
    "create_bulletin",
    "draft_of",
    "fail_rendition",
    "finish_rendition",
    "freeze_version",
    "record_approval",
    "renew_lease",
    "return_rendition",
    "reuse_bulletin",
    "save_draft",
    "seal_version",
]
