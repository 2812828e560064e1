"""How django-allauth signs our officers in: closed sign-up, our words, our audit.

Only the administrator of a unit makes accounts and sets a forgotten password anew;
no letter with a link can open an account.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.people.models import Officer

WRONG_CODE = "Mã không đúng hoặc đã hết hạn. Hãy gõ mã đang hiện trên điện thoại."

# The few messages of allauth that people should see, in our language.
SAID = {
    "account/messages/password_changed.txt": "Đã đổi mật khẩu.",
    "mfa/messages/totp_activated.txt": "Đã bật xác nhận hai lớp.",
    "mfa/messages/totp_deactivated.txt": "Đã tắt xác nhận hai lớp.",
    "mfa/messages/recovery_codes_generated.txt": (
        "Đã tạo mã dự phòng mới. Mã cũ không dùng được nữa."
    ),
}


class OfficerAdapter(DefaultAccountAdapter):
    """Sign-in with user name and password; nobody signs up by themselves."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "Tài khoản đã khoá. Hãy gọi quản trị.",
        "enter_current_password": "Mật khẩu hiện nay chưa đúng. Hãy gõ lại.",
        "incorrect_code": WRONG_CODE,
        "incorrect_password": "Mật khẩu chưa đúng. Hãy gõ lại.",
        "invalid_login": "Tên đăng nhập hoặc mật khẩu chưa đúng. Hãy gõ lại.",
        "too_many_login_attempts": (
            "Gõ sai quá nhiều lần. Hãy đợi 5 phút rồi thử lại, hoặc gọi quản trị."
        ),
        "username_password_mismatch": (
            "Tên đăng nhập hoặc mật khẩu chưa đúng. Hãy gõ lại."
        ),
        "rate_limited": "Thử quá nhiều lần. Hãy đợi ít phút rồi thử lại.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say no: an administrator registers officers."""
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Return to the account page."""
        return reverse("people:account")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Show our words for what happened; say nothing of what people can see."""
        words = message or SAID.get(message_template or "")
        if words:
            messages.add_message(request, level, words, extra_tags=extra_tags)

    def post_login(
        self, request: HttpRequest, user: Officer, **more: Any
    ) -> HttpResponse:
        """Write down that somebody signed in, then go on."""
        audit.record("people.signed_in", target=user, by=user, at=timezone.now())
        answer: HttpResponse = super().post_login(request, user, **more)
        return answer

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write down whose name was tried, and from where."""
        audit.record(
            "people.sign_in_failed",
            target=str(credentials.get("username", ""))[:60],
            by=None,
            at=timezone.now(),
            data={"address": self.get_client_ip(request)},
        )


class SecondFactorAdapter(DefaultMFAAdapter):
    """Codes from an authenticator app; its errors in our words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": WRONG_CODE,
        "cannot_delete_authenticator": "Chưa tắt được xác nhận hai lớp.",
        "cannot_generate_recovery_codes": "Hãy bật xác nhận hai lớp trước.",
    }
