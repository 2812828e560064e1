"""States of a delivery, kinds of addresses, and how long a try lasts. Pure."""

import re
from datetime import timedelta

from nguon.core import phones
from nguon.core.errors import InvalidError

WAITING, SENT, FAILED, WITHDRAWN = "waiting", "sent", "failed", "withdrawn"
STATES = {
    WAITING: "Đang chờ gửi",
    SENT: "Đã gửi",
    FAILED: "Không gửi được",
    WITHDRAWN: "Đã rút",
}
PHONE, EMAIL = "phone", "email"
ADDRESS_KINDS = {PHONE: "Số điện thoại", EMAIL: "Hộp thư"}

# A claim lasts this long; after the n-th try in vain a pause of 2ⁿ minutes.
LEASE = timedelta(minutes=2)
MOST_TRIES = 8
# A provider that does not answer rests, all of it, so that no queue beats on it.
CLOSED_PAUSE = timedelta(minutes=1)
# What is older than this says old news: it is not sent any more.
STALE = timedelta(hours=24)
# How many leave in one turn of the worker, side by side.
AT_ONCE, LANES = 200, 8

CAUSES = {
    "stale": "Quá 24 giờ mới gửi được nên không gửi nữa",
    "contact_removed": "Người nhận đã xin thôi nhận tin",
    "given_up": "Đã thử nhiều lần mà nhà cung cấp không nhận",
    "account_absent": "Kênh này không còn trong cấu hình máy chủ",
    "address_refused": "Nhà cung cấp không nhận địa chỉ này",
    "text_refused": "Nhà cung cấp không nhận nội dung này",
    "token_refused": "Nhà cung cấp không nhận quyền truy cập; quản trị cần cấp lại",
    "money": "Tài khoản ở nhà cung cấp đã hết tiền",
}

_EMAIL = re.compile(r"[^\s@<>,;\"']{1,64}@[\w.-]{1,180}\.[a-z]{2,24}", re.IGNORECASE)


def read_address(kind: str, text: str) -> str:
    """Return an address in the one form in which it is kept.

    Raises InvalidError `channels.phone_wrong`, `channels.email_wrong`,
    `channels.kind_wrong`.
    """
    if kind == PHONE:
        try:
            return phones.read(text)
        except ValueError as error:
            raise InvalidError("channels.phone_wrong", text=text[:40]) from error
    if kind == EMAIL:
        if not _EMAIL.fullmatch(text.strip()) or len(text) > 120:
            raise InvalidError("channels.email_wrong", text=text[:40])
        return text.strip().lower()
    raise InvalidError("channels.kind_wrong")


def mask(kind: str, address: str) -> str:
    """Return what of an address may stay in the books when its owner is forgotten."""
    if kind == PHONE:
        return phones.mask(address)
    name, _, host = address.partition("@")
    return f"{name[:1]}•••@{host}"
