"""Addresses of reports, under /bao-cao/."""

from django.urls import path, re_path

from nguon.reports.views import (
    calls,
    forms,
    logs,
    payments,
    periods,
    proofs,
    sections,
    submissions,
)

app_name = "reports"
urlpatterns = [
    path("", periods.index, name="periods"),
    path("bang.csv", periods.index_file, name="periods_file"),
    path("so-nhat-ky/", logs.show, name="log"),
    path("so-nhat-ky/bang.csv", logs.show_file, name="log_file"),
    path("so-nhat-ky/so.pdf", logs.show_pdf, name="log_pdf"),
    path("so-nhat-ky/thu-lao/", logs.paid, name="paid"),
    path("so-nhat-ky/thu-lao.pdf", logs.paid_pdf, name="paid_pdf"),
    path("so-nhat-ky/thu-lao.xlsx", logs.paid_xlsx, name="paid_xlsx"),
    path("so-nhat-ky/da-tra/", payments.index, name="payments"),
    path("so-nhat-ky/da-tra/bang.csv", payments.index_file, name="payments_file"),
    path("so-nhat-ky/da-tra/nam/", payments.year, name="payments_year"),
    path("so-nhat-ky/da-tra/nam.csv", payments.year_file, name="payments_year_file"),
    re_path(
        r"^so-nhat-ky/da-tra/ghi/(?P<what>mot|het|bang)/$",
        payments.enter,
        name="enter_payment",
    ),
    path(
        "so-nhat-ky/da-tra/<slug:uid>/rut/", payments.withdraw, name="withdraw_payment"
    ),
    path("giay-luyen-tap/<slug:uid>.pdf", proofs.practice_paper, name="practice_paper"),
    path("bieu-mau/", forms.index, name="forms"),
    path("bieu-mau/bang.csv", forms.index_file, name="forms_file"),
    path("bieu-mau/moi/", forms.create, name="create_form"),
    path("bieu-mau/<slug:uid>/", forms.show, name="form"),
    path("bieu-mau/<slug:uid>/muc/", forms.add, name="add_field"),
    path("bieu-mau/<slug:uid>/bo/<int:key>/", forms.remove, name="remove_field"),
    path("bieu-mau/<slug:uid>/mo-ky/", periods.open_one, name="open"),
    path("ky/<slug:uid>/", periods.show, name="period"),
    path("ky/<slug:uid>/bang.csv", periods.show_file, name="period_file"),
    path("ky/<slug:uid>/tong-hop/", periods.table, name="table"),
    path("ky/<slug:uid>/tong-hop.csv", periods.table_csv, name="table_file"),
    path("ky/<slug:uid>/tong-hop.xlsx", periods.table_xlsx, name="workbook"),
    path("ky/<slug:uid>/dong/", periods.close, name="close"),
    path("yeu-cau/", calls.index, name="calls"),
    path("yeu-cau/bang.csv", calls.index_file, name="calls_file"),
    path("yeu-cau/moi/", calls.create, name="create_call"),
    path("yeu-cau/<slug:uid>/", calls.show, name="call"),
    path("yeu-cau/<slug:uid>/cho/", calls.place, name="place"),
    path("yeu-cau/<slug:uid>/xong/", calls.answer, name="answer_call"),
    path("yeu-cau/<slug:uid>/bo/", calls.remove, name="remove_call"),
    path("yeu-cau/<slug:uid>/rut/", calls.withdraw, name="withdraw_call"),
    re_path(
        r"^yeu-cau/(?P<uid>[a-z2-7]{12})/(?P<which>mau|tra-loi)/$",
        calls.file,
        name="call_file",
    ),
    path("<slug:uid>/", submissions.show, name="submission"),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/van-ban/(?P<kind>pdf|docx)/$",
        submissions.paper,
        name="paper",
    ),
    path("<slug:uid>/loi/", sections.sections, name="sections"),
    path("<slug:uid>/ban-hanh/", submissions.take_issue, name="take_issue"),
    path("<slug:uid>/ban-hanh.pdf", submissions.issued, name="issued"),
    path("<slug:uid>/luu/", submissions.save, name="save"),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/(?P<verb>tra-lai|duyet|mo-khoa)/$",
        submissions.move,
        name="move",
    ),
]
