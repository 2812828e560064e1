"""The Vietnamese sentence of every error code: what happened and what to do next.

Raisers know codes and data only; people read these. `{names}` are the error's data.
A code without a sentence fails a test; a sentence without data stays readable.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from nguon.core.errors import Known

UNKNOWN = "Không làm được việc này. Hãy tải lại trang rồi thử lại."

SENTENCES: dict[str, str] = {
    # people
    "people.no_right": (
        "Bạn chưa được giao quyền “{role}” ở nơi này. Hãy nhờ quản trị giao quyền."
    ),
    "people.not_your_ground": "Không có địa bàn này trong phần việc của bạn.",
    "people.username_taken": (
        "Tên đăng nhập {username} đã có người dùng. Hãy chọn tên khác."
    ),
    "people.role_unknown": "Không có vai trò {role}. Hãy chọn trong danh sách.",
    "people.role_held": "Cán bộ này đang giữ vai trò “{role}” ở đây rồi.",
    "people.role_ended": "Vai trò này đã kết thúc trước đó.",
    "people.period_empty": "Thời gian đến phải sau thời gian từ. Hãy chọn lại.",
    "people.own_deputy": "Không thể tự làm người thay mình. Hãy chọn người khác.",
    "people.own_role": (
        "Không thể tự giao vai trò cho mình. Hãy nhờ một quản trị khác giao."
    ),
    "people.own_password": "Hãy đổi mật khẩu của mình ở trang Tài khoản của tôi.",
    "people.own_account": "Không thể tự khoá tài khoản của mình.",
    "people.other_ground": (
        "Cán bộ này còn vai trò ở nơi khác. Hãy nhờ quản trị cấp trên đổi tài khoản."
    ),
    "people.officer_absent": "Không có cán bộ này trong địa bàn của bạn.",
    "people.username_absent": (
        "Không có ai tên đăng nhập là “{username}”. Hãy xem lại cách viết."
    ),
    "people.username_unusable": (
        "Tên đăng nhập “{username}” không dùng được. Hãy dùng chữ thường không dấu, "
        "số, dấu chấm; ít nhất 2 ký tự."
    ),
    "people.name_missing": "Chưa có họ và tên, hoặc tên dài quá 120 ký tự.",
    "people.password_weak": (
        "Mật khẩu dễ đoán. Hãy dùng ít nhất 10 ký tự, không giống tên hay số điện "
        "thoại, không phải dãy ai cũng biết."
    ),
    "people.email_unusable": "Địa chỉ thư “{email}” không đúng. Hãy xem lại.",
    "people.phone_unusable": "Số điện thoại “{phone}” không đúng. Hãy xem lại.",
    "people.account_changed": "Tài khoản này vừa được đổi. Hãy tải lại trang.",
    "people.officer_locked": "Tài khoản của người thay đang khoá. Hãy chọn người khác.",
    "people.period_over": "Khoảng thời gian này đã hết rồi.",
    "people.moment_unreadable": (
        "Không đọc được ngày giờ “{text}”, hoặc năm quá xa. "
        "Hãy ghi ngày như 22/11/2026 và giờ như 05:30."
    ),
    "people.day_unreadable": (
        "Không đọc được ngày “{text}”: không có ngày ấy, hoặc năm quá xa. "
        "Hãy ghi như 22/11/2026."
    ),
    "people.text_unreadable": "Có ký tự không đọc được trong ô vừa gõ. Hãy gõ lại.",
    "people.state_unknown": "Chưa chọn khoá hay mở. Hãy tải lại trang.",
    "people.receiver_absent": "Máy này không còn trong danh sách. Hãy tải lại trang.",
    "people.receiver_unusable": (
        "Trình duyệt gửi khóa báo không đọc được. Hãy tải lại trang và bật lại."
    ),
    "people.receiver_other_keys": (
        "Địa chỉ báo này đã dùng với khóa khác. Hãy tắt báo của trang trong trình duyệt"
        " rồi bật lại."
    ),
    "people.receivers_full": (
        "Bạn đã bật báo trên {most} máy. Hãy tắt máy không dùng nữa rồi bật lại."
    ),
    "people.receiver_gone": (
        "Máy này không còn nhận báo nên đã được bỏ khỏi danh sách. Hãy mở trang này"
        " trên máy đó và bật lại."
    ),
    "people.receiver_refused": (
        "Máy chủ báo của hãng trình duyệt từ chối. Hãy tắt rồi bật lại báo trên máy đó."
    ),
    "people.push_closed": (
        "Máy chủ báo của hãng trình duyệt không trả lời. Hãy thử lại sau ít phút."
    ),
    "providers.push_host": (
        "Trình duyệt này dùng máy chủ báo lạ ({host}). Hãy dùng Chrome, Firefox, Edge"
        " hoặc Safari, hoặc nhờ quản trị máy chủ thêm vào NGUON_PUSH_HOSTS."
    ),
    "people.role_absent": "Không có vai trò này.",
    "people.deputy_absent": "Không có việc thay này.",
    "people.absence_absent": "Không có kỳ vắng mặt này.",
    # territory
    "territory.unit_absent": "Không tìm thấy đơn vị có mã {code} vào ngày {day}.",
    "territory.rows_wrong": (
        "Có {count} dòng sai nên chưa nhập gì. Hãy sửa tệp rồi gửi lại."
    ),
    "territory.villages_changed": (
        "Vừa có người nhập cùng danh sách này. Hãy xem lại rồi nhập lại nếu cần."
    ),
    "territory.file_missing": "Chưa chọn tệp. Hãy chọn tệp CSV rồi gửi lại.",
    "territory.file_too_big": "Tệp quá lớn. Hãy gửi tệp dưới {limit} MB.",
    "territory.file_encoding": (
        "Không đọc được chữ trong tệp. Hãy lưu lại dưới dạng “CSV UTF-8”."
    ),
    "territory.file_unreadable": (
        "Tệp không phải là bảng CSV. Hãy lưu lại dưới dạng “CSV UTF-8”."
    ),
    "territory.headings_missing": (
        "Dòng đầu của tệp thiếu cột: {names}. Hãy tải tệp mẫu để xem cách viết."
    ),
    "territory.no_rows": "Tệp chưa có dòng nào dưới dòng tên cột.",
    "territory.too_many_rows": (
        "Tệp có quá nhiều dòng. Hãy chia thành các tệp dưới {limit} dòng."
    ),
    # newsroom
    "newsroom.bulletin_absent": "Không có bản tin này trong địa bàn của bạn.",
    "newsroom.version_absent": "Không có phiên bản này trong địa bàn của bạn.",
    "newsroom.title_missing": "Bản tin chưa có tiêu đề. Hãy viết tiêu đề.",
    "newsroom.body_missing": "Bản tin chưa có nội dung. Hãy viết nội dung.",
    "newsroom.title_too_long": (
        "Tiêu đề dài {length} ký tự, nhiều nhất {limit}. Hãy rút ngắn."
    ),
    "newsroom.body_too_long": (
        "Nội dung dài {length} ký tự, nhiều nhất {limit}. Hãy rút ngắn hoặc chia "
        "thành nhiều bản tin; chữ bạn gõ vẫn còn trên màn hình."
    ),
    "newsroom.text_unreadable": "Có ký tự không đọc được trong bản tin. Hãy gõ lại.",
    "newsroom.class_unknown": "Chưa chọn loại bản tin. Hãy chọn một loại.",
    "newsroom.field_unknown": "Chưa chọn lĩnh vực. Hãy chọn một lĩnh vực.",
    "newsroom.language_missing": "Chưa chọn ngôn ngữ. Hãy chọn ít nhất một ngôn ngữ.",
    "newsroom.language_unknown": "Không có ngôn ngữ “{language}”. Hãy chọn lại.",
    "newsroom.language_doubled": "Một ngôn ngữ được chọn hai lần. Hãy chọn lại.",
    "newsroom.language_not_chosen": (
        "Bản tin không chọn ngôn ngữ này. Hãy chọn ngôn ngữ trước khi gửi bản ghi."
    ),
    "newsroom.recording_missing": (
        "Ngôn ngữ này chưa có giọng máy. Hãy gửi bản ghi giọng người đọc."
    ),
    "newsroom.recording_too_big": "Tệp ghi âm quá lớn. Hãy gửi tệp dưới 64 MB.",
    "newsroom.drill_not_emergency": "Diễn tập phải là bản tin khẩn cấp.",
    "newsroom.correction_not_emergency": (
        "Bản đính chính của tin khẩn cấp phải là tin khẩn cấp thì tin cũ mới im. "
        "Hãy giữ loại Khẩn cấp."
    ),
    "newsroom.correction_other_kind": (
        "Bản đính chính phải cùng là diễn tập hoặc cùng là thật với bản gốc."
    ),
    "newsroom.draft_changed": (
        "{saved_by} vừa sửa bản tin này. Hãy so hai bản và chọn bản giữ lại."
    ),
    "newsroom.file_empty": "Tệp trống. Hãy chọn tệp khác.",
    "newsroom.file_old_office": (
        "Đây là tệp Word cũ (.doc). Hãy mở bằng Word, lưu thành .docx rồi gửi lại."
    ),
    "newsroom.file_scripted": (
        "Tệp này có thể chứa mã chạy được (SVG, trang web) nên không nhận. Hãy gửi "
        "ảnh chụp, .docx, .odt hoặc PDF."
    ),
    "newsroom.file_broken": "Tệp bị hỏng. Hãy gửi lại hoặc dán chữ vào ô.",
    "newsroom.file_unknown": (
        "Không nhận ra loại tệp này. Hãy gửi .docx, .odt, PDF, ảnh chụp, tệp ghi âm, "
        "hoặc dán chữ vào ô."
    ),
    "newsroom.file_bomb": (
        "Tệp nén phình ra quá lớn hoặc có cấu trúc bất thường nên không mở. Hãy dán "
        "chữ vào ô."
    ),
    "newsroom.file_locked": "Tệp có mật khẩu. Hãy bỏ mật khẩu rồi gửi lại.",
    "newsroom.file_too_hard": (
        "Tệp này nặng quá, đọc mãi không xong. Hãy gửi tệp ngắn hơn hoặc dán chữ vào ô."
    ),
    "newsroom.file_is_video": (
        "Đây là video, dù tên tệp có thể là âm thanh. Hãy gửi tệp ghi âm, hoặc gửi "
        "video ở mục “Ảnh, video, tài liệu” của bản tin."
    ),
    "newsroom.attachment_kind": (
        "Kèm được ảnh chụp, video hoặc PDF. Văn bản Word hãy lưu thành PDF rồi gửi."
    ),
    "newsroom.attachment_absent": "Không có tệp kèm này. Hãy tải lại trang.",
    "newsroom.attachment_not_sent": "Chưa chọn tệp. Hãy chọn một ảnh, video hoặc PDF.",
    "newsroom.attachments_too_many": (
        "Mỗi bản tin kèm nhiều nhất {limit} tệp. Hãy bỏ bớt một tệp rồi thêm."
    ),
    "newsroom.attachment_not_ready": (
        "Video còn đang làm. Hãy đợi xong, hoặc bỏ video ra rồi gửi."
    ),
    "newsroom.attachment_failed": (
        "Có video làm không được. Hãy bỏ video đó ra, hoặc gửi lại tệp khác."
    ),
    "newsroom.document_too_big": (
        "Tài liệu nặng quá {limit} MB. Hãy xuất PDF cỡ nhỏ rồi gửi lại."
    ),
    "newsroom.document_too_long": (
        "PDF cần có từ 1 đến {pages} trang. Hãy tách phần cần dùng rồi gửi."
    ),
    "newsroom.video_unreadable": (
        "Không đọc được video này. Hãy quay lại hoặc lưu thành MP4 rồi gửi."
    ),
    "newsroom.video_is_sound": (
        "Tệp này chỉ có tiếng. Hãy gửi nó ở mục “Dùng giọng người đọc”."
    ),
    "newsroom.video_too_long": (
        "Video dài quá {minutes} phút. Hãy cắt còn đoạn cần xem rồi gửi lại."
    ),
    "newsroom.video_too_large": (
        "Khung hình video quá lớn. Hãy quay ở mức 1080p hoặc thấp hơn rồi gửi lại."
    ),
    "newsroom.picture_absent": "Không có ảnh này. Hãy tải lại trang.",
    "newsroom.nothing_sent": "Chưa có chữ hay tệp nào. Hãy dán chữ hoặc chọn tệp.",
    "newsroom.upload_too_big": (
        "Tệp {size} MB, nhiều nhất {limit} MB. Hãy cắt ngắn hoặc nén nhỏ rồi gửi lại."
    ),
    "newsroom.upload_too_many": (
        "Đang có quá nhiều tệp gửi dở. Hãy gửi xong tệp cũ, hoặc đợi đến mai."
    ),
    "newsroom.upload_absent": "Tệp gửi dở đã hết hạn. Hãy gửi lại từ đầu.",
    "newsroom.upload_offset": "Tệp đã nhận đến byte {received}. Máy sẽ gửi tiếp từ đó.",
    "newsroom.upload_piece": "Mảnh tệp gửi lên không đúng cỡ. Hãy gửi lại từ đầu.",
    "newsroom.upload_unfinished": "Tệp chưa gửi xong. Hãy đợi gửi hết rồi bấm lại.",
    "newsroom.comment_empty": "Góp ý còn trống. Hãy viết vài chữ.",
    "newsroom.comment_too_long": "Góp ý dài quá {limit} ký tự. Hãy viết ngắn hơn.",
    "newsroom.place_to_fill": (
        "Còn chỗ {place} chưa điền. Hãy điền hoặc xóa chỗ trong ngoặc rồi gửi."
    ),
    "newsroom.supplier_absent": (
        "Nguồn cung cấp này không có trong danh sách. Hãy chọn lại."
    ),
    "newsroom.supplier_unreadable": (
        "Tên nguồn cần từ 2 đến {limit} ký tự. Hãy viết lại."
    ),
    "newsroom.arrival_absent": "Không có tin đến này trong địa bàn của bạn.",
    "newsroom.arrival_decided": (
        "Tin đến này đã có người quyết định, hoặc nguồn vừa sửa. Hãy tải lại trang."
    ),
    "newsroom.arrival_fixed": "Tin đến đã quyết định thì không sửa được nữa.",
    "newsroom.reason_missing": "Hãy ghi lý do, từ 1 đến {limit} ký tự.",
    "newsroom.feed_absent": "Không có nguồn tin này trong địa bàn của bạn.",
    "newsroom.feed_name": "Tên nguồn tin cần từ 2 đến {limit} ký tự. Hãy viết lại.",
    "newsroom.feed_known": "Đơn vị đã có nguồn tin ở địa chỉ này. Hãy xem danh sách.",
    "newsroom.feeds_too_many": (
        "Đơn vị đã có {limit} nguồn tin. Hãy bỏ bớt nguồn không dùng."
    ),
    "newsroom.feed_address": (
        "Địa chỉ {url} không dùng được. Hãy dùng địa chỉ RSS hoặc Atom bắt đầu bằng "
        "https://."
    ),
    "newsroom.feed_inside": (
        "{host} nằm trong mạng nội bộ nên không được đọc. Hãy dùng địa chỉ công khai."
    ),
    "newsroom.feed_away": "Nguồn không trả lời. Máy chủ tự thử lại, thưa dần.",
    "newsroom.feed_refused": (
        "Nguồn trả lời lỗi {status}. Máy chủ tự thử lại; nếu lỗi mãi, hãy xem lại địa "
        "chỉ."
    ),
    "newsroom.feed_too_long": (
        "Nguồn gửi về hơn {megabytes} MB. Hãy xin địa chỉ RSS ngắn hơn."
    ),
    "newsroom.feed_unreadable": (
        "Địa chỉ này không phải RSS hay Atom, hoặc bị hỏng. Hãy xem lại địa chỉ."
    ),
    "newsroom.feed_hostile": (
        "Nguồn có phần XML không an toàn (DTD) nên không đọc. Hãy báo nơi cung cấp."
    ),
    "newsroom.feed_too_hard": (
        "Đọc nguồn lâu quá hoặc tốn quá nhiều bộ nhớ. Máy chủ tự thử lại, thưa dần."
    ),
    "newsroom.offer_phone": (
        "Số điện thoại chưa đúng. Hãy ghi số di động hoặc số bàn có mã vùng."
    ),
    "newsroom.offer_sender": "Hãy ghi tên người gửi, từ 2 đến {limit} ký tự.",
    "newsroom.offer_organisation": "Hãy ghi tên cơ quan, từ 2 đến {limit} ký tự.",
    "newsroom.offer_empty": "Chưa có nội dung. Hãy viết điều cần phát.",
    "newsroom.offer_links": (
        "Nội dung có hơn {limit} địa chỉ mạng. Hãy viết lại bằng lời để đọc trên loa."
    ),
    "newsroom.offer_day_past": "Ngày mong phát đã qua. Hãy chọn hôm nay hoặc ngày sau.",
    "newsroom.offer_refused": (
        "Chưa gửi được. Hãy tải lại trang, điền lại rồi bấm gửi sau vài giây."
    ),
    "newsroom.offers_full": (
        "Đang có quá nhiều tin chờ xem. Hãy gọi điện cho xã, hoặc gửi lại vào ngày mai."
    ),
    "newsroom.unit_absent": "Không có xã này. Hãy chọn xã trong danh sách các xã.",
    "newsroom.receipt_unknown": (
        "Không có mã biên nhận này. Hãy xem lại từng chữ, từng số."
    ),
    "newsroom.reference_missing": "Thiếu mã tin (id) của hệ thống gửi.",
    "newsroom.reference_used": (
        "Mã tin (id) này đã gửi với nội dung khác. Hãy dùng mã mới cho nội dung mới."
    ),
    "newsroom.signature_wrong": (
        "Chữ ký hoặc giờ gửi không đúng. Hãy xem lại khóa và đồng hồ của hệ thống gửi."
    ),
    "newsroom.message_unreadable": "Không đọc được tin gửi ({part}). Hãy xem lại JSON.",
    "newsroom.track_absent": "Không có việc ghi âm này trong địa bàn của bạn.",
    "newsroom.track_language": "Hãy chọn một tiếng khác tiếng Việt.",
    "newsroom.track_speaker_missing": (
        "Chưa có người đọc. Hãy chọn một cán bộ, hoặc ghi tên và điện thoại."
    ),
    "newsroom.track_officer_cannot": (
        "Cán bộ này chưa được soạn tin ở đây. Hãy chọn người khác."
    ),
    "newsroom.track_due_past": "Hãy chọn hạn xong sau lúc này.",
    "newsroom.track_asked_already": (
        "Đã nhờ ghi tiếng này rồi. Hãy mở danh sách bản ghi cần làm."
    ),
    "newsroom.track_over": "Việc ghi âm này đã xong hoặc đã thôi. Hãy tải lại trang.",
    "newsroom.template_absent": "Không có mẫu tin này. Hãy tải lại danh sách mẫu.",
    "newsroom.template_empty": "Mẫu tin cần tiêu đề và nội dung. Hãy viết cả hai.",
    "newsroom.task_unknown": "Chưa chọn việc được trả thù lao. Hãy chọn một việc.",
    "newsroom.rate_unreadable": "Không đọc được số tiền. Hãy ghi như 20.000.",
    "newsroom.expired": (
        "Bản tin hết hạn ngày {day}. Hãy sửa nội dung và ngày cuối còn đúng rồi gửi."
    ),
    "newsroom.day_unreadable": ("Không đọc được ngày “{day}”. Hãy ghi như 22/11/2026."),
    "newsroom.own_bulletin": (
        "Bạn đã viết, sửa hoặc gửi bản tin này nên không thể tự duyệt. "
        "Hãy nhờ người khác duyệt."
    ),
    "newsroom.changed": (
        "Nội dung đã khác với bản bạn vừa nghe. Hãy tải lại trang, nghe lại rồi duyệt."
    ),
    "newsroom.not_sealed": "Âm thanh chưa làm xong. Hãy đợi ít giây rồi tải lại trang.",
    "newsroom.already_approved": "Bản tin này đã được duyệt trước đó.",
    "newsroom.recording_not_sent": "Chưa chọn tệp ghi âm. Hãy chọn một tệp.",
    "newsroom.sound_absent": "Không có âm thanh này. Hãy tải lại trang rồi nghe lại.",
    "newsroom.lease_lost": "Việc này đã có máy khác làm tiếp.",
    "newsroom.worker_lost": "Làm âm thanh nhiều lần không xong. Hãy bấm thử lại.",
    "newsroom.rendition_broken": "Chưa làm được âm thanh. Hãy bấm thử lại.",
    # fleet
    "fleet.cannot_sign": (
        "Máy chủ chưa ký được văn bản gửi loa nên chưa gửi gì. Hãy báo quản trị "
        "kiểm tra khóa ký ({use}: {why})."
    ),
    "fleet.keys_incomplete": (
        "Thư mục khóa {folder} thiếu tệp. Hãy khôi phục từ bản sao lưu."
    ),
    "fleet.claims_count": "Hãy tạo từ 1 đến {limit} mã ghi danh mỗi lần.",
    "fleet.kind_unknown": "Không có loại thiết bị này. Hãy chọn lại.",
    "fleet.name_missing": "Tên thiết bị phải có từ 1 đến 120 ký tự. Hãy nhập lại.",
    "fleet.unit_ended": "{unit} không còn trên bản đồ hiện nay. Hãy chọn nơi khác.",
    "fleet.claim_unknown": "Không có mã ghi danh này. Hãy xem lại mã đã in.",
    "fleet.claim_expired": "Mã ghi danh đã hết hạn. Hãy tạo mã mới.",
    "fleet.claim_other_kind": "Mã ghi danh này dành cho loại thiết bị khác.",
    "fleet.claim_used": "Mã ghi danh đã được thiết bị khác dùng. Hãy tạo mã mới.",
    "fleet.key_known": "Khóa của thiết bị đã được ghi danh. Hãy đặt lại thiết bị.",
    "fleet.key_unusable": "Khóa của thiết bị không dùng được. Hãy đặt lại thiết bị.",
    "fleet.device_absent": "Không có thiết bị này trong địa bàn của bạn.",
    "fleet.device_not_waiting": (
        "Thiết bị không còn chờ duyệt. Hãy tải lại trang để xem trạng thái mới."
    ),
    "fleet.device_not_active": "Thiết bị chưa được dùng hoặc đã bị thu hồi.",
    "fleet.order_move": (
        "Phiếu đang ở bước “{old}” nên không chuyển sang “{new}” được. "
        "Hãy tải lại trang."
    ),
    "fleet.order_absent": "Không có phiếu sửa này trong địa bàn của bạn.",
    "fleet.order_over": "Phiếu sửa này đã kết thúc. Hãy lập phiếu mới.",
    "fleet.order_open": "Thiết bị đang có phiếu sửa chưa xong. Hãy mở phiếu ấy.",
    "fleet.order_task": "Hãy viết việc cần làm, nhiều nhất 500 ký tự.",
    "fleet.order_assigned": (
        "Người này không giữ vai trò “Kỹ thuật” ở nơi đặt máy. Hãy chọn người khác."
    ),
    "fleet.order_cause": "Hãy chọn ít nhất một nguyên nhân.",
    "fleet.order_cost": "Chi phí phải là số đồng, từ 0 trở lên. Hãy nhập lại.",
    "fleet.order_reason": "Hãy viết lý do bỏ phiếu sửa.",
    "fleet.text_too_long": "Chữ dài quá {limit} ký tự. Hãy rút ngắn.",
    "fleet.installation_absent": "Không có biên bản này. Hãy xem lại danh sách.",
    "fleet.installation_done": "Biên bản này đã xong. Hãy mở việc mới nếu lắp lại.",
    "fleet.installation_malformed": "Việc gửi lên không đọc được. Hãy mở lại trang.",
    "fleet.installation_other": (
        "Việc này thuộc máy khác hoặc người khác. Hãy mở lại trang lắp đặt của máy."
    ),
    "fleet.installation_place": (
        "Tọa độ không nằm trong Việt Nam. Hãy lấy lại vị trí hoặc gõ lại."
    ),
    "fleet.installation_steps": "Có bước chọn chưa đúng. Hãy chọn lại từng bước.",
    "fleet.installation_time": (
        "Giờ của việc này không hợp lý. Hãy chỉnh lại giờ điện thoại rồi gửi lại."
    ),
    "fleet.photo_too_big": "Ảnh quá lớn. Hãy gửi ảnh dưới {limit} MB.",
    "fleet.photo_unreadable": (
        "Tệp này không phải ảnh hoặc đã hỏng. Hãy chụp lại rồi gửi ảnh JPEG hoặc PNG."
    ),
    "fleet.photo_missing": "Chưa chọn ảnh. Hãy chụp hoặc chọn một ảnh.",
    "fleet.photos_many": "Phiếu đã đủ {limit} ảnh.",
    "fleet.label_unknown": (
        "Không có thiết bị nào mang mã này. Hãy xem lại mã trên nhãn."
    ),
    "fleet.report_kind": "Hãy chọn loa đang bị làm sao.",
    "fleet.report_closed": "Tin báo này đã được xử lý.",
    "fleet.report_absent": "Không có tin báo này trong địa bàn của bạn.",
    "fleet.file_too_big": "Tệp quá lớn. Hãy gửi tệp dưới {limit} MB.",
    "fleet.file_unpacks": (
        "Bảng tính này khi mở ra lớn hơn {limit} MB."
        " Hãy chép các dòng cần nhập sang một bảng tính mới rồi gửi lại."
    ),
    "fleet.file_unreadable": (
        "Tệp không phải bảng tính đọc được. Hãy lưu lại dạng XLSX hoặc “CSV UTF-8”."
    ),
    "fleet.file_rows": (
        "Tệp có quá nhiều dòng. Hãy chia thành các tệp dưới {limit} dòng."
    ),
    "fleet.headings_missing": "Dòng đầu của tệp thiếu cột {names}.",
    "fleet.no_rows": "Tệp chưa có dòng nào dưới dòng tên cột.",
    "fleet.rows_wrong": (
        "Có {count} dòng sai nên chưa ghi gì. Hãy sửa tệp rồi gửi lại."
    ),
    "fleet.serial_known": "Số máy này của hãng đã có ở thiết bị khác. Hãy xem lại.",
    "fleet.village_elsewhere": "Thôn được chọn không thuộc xã đặt máy. Hãy chọn lại.",
    "fleet.group_absent": "Không có nhóm này trong địa bàn của bạn.",
    "fleet.group_name": "Hãy đặt tên cho nhóm, nhiều nhất {limit} ký tự.",
    "fleet.group_exists": (
        "Đã có nhóm tên “{name}”. Hãy đặt tên khác, hoặc chọn nhóm ấy."
    ),
    "fleet.group_outside": (
        "Có máy ở ngoài {unit}. Hãy bỏ máy ấy ra, hoặc lập nhóm của cấp trên."
    ),
    "fleet.group_many": "Mỗi lần đổi nhiều nhất {limit} máy. Hãy chọn ít máy hơn.",
    "fleet.view_name": "Hãy đặt tên cho bộ lọc, nhiều nhất 60 ký tự.",
    "fleet.views_many": "Bạn đã lưu {limit} bộ lọc. Hãy bỏ bớt một bộ lọc.",
    "fleet.incident_absent": "Không có sự cố này trong địa bàn của bạn.",
    "fleet.rehearsal_over": (
        "Máy này không đang diễn tập, đã phát theo lịch. Hãy tải lại trang."
    ),
    "fleet.rehearsal_unasked": (
        "Máy đang sửa. Hãy ghi “Sửa xong” ở phiếu sửa thì máy mới diễn tập."
    ),
    "fleet.rehearsal_reason": (
        "Hãy viết vì sao cho máy phát khi chưa qua diễn tập, nhiều nhất 500 ký tự."
    ),
    "fleet.rehearsal_absent": "Máy này chưa lần nào phải diễn tập sau sửa.",
    "fleet.health_move": (
        "Thiết bị đang ở trạng thái “{old}” nên không chuyển sang “{new}” được. "
        "Hãy tải lại trang."
    ),
    "fleet.document_target": "Văn bản phải gửi tới đúng một nơi hoặc một thiết bị.",
    "fleet.document_kind": "Loại văn bản {kind} không gửi khẩn được.",
    "fleet.document_past": "Văn bản đã quá hạn trước khi gửi. Hãy chọn hạn muộn hơn.",
    "fleet.document_too_long": (
        "Nội dung quá dài để phát ngay. Hãy rút ngắn hoặc đặt lịch phát."
    ),
    "fleet.command_unknown": "Thiết bị không hiểu lệnh này.",
    "fleet.batch_empty": "Không có thiết bị nào để gửi lệnh. Hãy chọn lại.",
    "fleet.batch_too_big": (
        "Lệnh này gửi được nhiều nhất {limit} thiết bị một lần; bạn chọn {count}. "
        "Hãy lọc bớt."
    ),
    "fleet.batch_changed": (
        "Danh sách vừa thay đổi: nay có {count} thiết bị. Hãy xem lại rồi gửi."
    ),
    "fleet.batch_over": "Đợt lệnh này không còn lệnh nào chờ gửi.",
    "fleet.batch_absent": "Không có đợt lệnh này trong địa bàn của bạn.",
    "fleet.quiet_now": ("Đang là giờ yên lặng ({hours}). Hãy cho kêu thử sau giờ này."),
    "fleet.log_unasked": "Không ai hỏi nhật ký này, hoặc đã quá giờ nhận.",
    "fleet.log_absent": "Chưa có nhật ký máy này. Hãy gửi lệnh lấy nhật ký.",
    "fleet.release_province": (
        "Chỉ người phụ trách thiết bị của cả tỉnh được cập nhật chương trình."
    ),
    "fleet.release_kind": "Hãy chọn loại tệp: chương trình hoặc phần mềm của hãng.",
    "fleet.release_size": (
        "Tệp rỗng hoặc lớn hơn {limit} MB nên máy không nhận. Hãy chọn tệp khác."
    ),
    "fleet.release_make": "Hãy ghi tên hãng, và ghi chú không quá {limit} ký tự.",
    "fleet.release_known": "Đã có bản {version}. Hãy tăng số phiên bản.",
    "fleet.release_own": "Bạn đã tải bản này lên nên không được tự duyệt.",
    "fleet.release_approved": "Bản này đã được duyệt.",
    "fleet.release_other_hash": (
        "Mã băm không khớp với tệp đang có. Hãy tải lại trang và xem lại tệp."
    ),
    "fleet.release_unapproved": "Bản này chưa được người thứ hai duyệt.",
    "fleet.release_absent": "Không có bản phát hành này.",
    "fleet.rollout_absent": "Không có đợt cập nhật này trong địa bàn của bạn.",
    "fleet.rollout_empty": "Không chặng nào có thiết bị. Hãy chọn lại.",
    "fleet.rollout_overlap": (
        "{count} thiết bị đang ở một đợt cập nhật khác. Hãy kết thúc đợt ấy trước."
    ),
    "fleet.rollout_move": "Đợt cập nhật {old} nên không chuyển sang {new} được.",
    "fleet.stages_many": "Hãy đặt từ 1 đến {limit} chặng.",
    "fleet.stage_unknown": "Không có cách chọn máy này cho một chặng.",
    "fleet.stage_thresholds": (
        "Ngưỡng thành công từ 1 đến 100 %, ngưỡng hỏng từ 0 đến 100 %."
    ),
    "fleet.stage_percent": "Phần trăm máy của chặng phải từ 1 đến 100.",
    "fleet.hours_wrong": (
        "Giờ được phép phải có giờ đầu và giờ cuối khác nhau. Hãy ghi như 01:00."
    ),
    "core.version_malformed": (
        "Số phiên bản {version} không đúng dạng. Hãy ghi như 1.4.2."
    ),
    "core.archive_too_large": "Tệp chương trình quá lớn. Hãy làm lại tệp.",
    "core.archive_broken": (
        "Tệp không phải chương trình của thiết bị, hoặc bị hỏng. "
        "Hãy làm lại bằng lệnh make_release."
    ),
    "core.archive_names": "Trong tệp có tên lạ: {name}. Tệp bị từ chối.",
    "fleet.volume_range": "Âm lượng từ 0 đến 100. Hãy nhập lại.",
    "fleet.languages_missing": "Hãy chọn ít nhất một ngôn ngữ cho thiết bị.",
    "fleet.media_empty": "Tệp rỗng. Hãy chọn tệp khác.",
    "fleet.media_too_big": "Tệp quá lớn. Hãy chọn tệp nhỏ hơn.",
    "fleet.media_mime": "Không dùng được loại tệp này. Hãy chọn tệp khác.",
    "fleet.media_absent": "Không có tệp này.",
    "fleet.nothing_chosen": "Chưa chọn thiết bị nào. Hãy chọn rồi duyệt.",
    "fleet.sign_in_refused": "Thiết bị chưa chứng minh được danh tính.",
    "fleet.too_many_requests": "Gửi quá nhanh. Hãy chờ một lát rồi thử lại.",
    "fleet.body_too_large": "Dữ liệu gửi lên quá lớn.",
    "fleet.body_unusable": "Dữ liệu gửi lên không đọc được.",
    # relays
    "core.address_unusable": (
        "Địa chỉ {url} không dùng được. Hãy dùng địa chỉ bắt đầu bằng http:// hoặc "
        "https://, không có tên và mật khẩu."
    ),
    "core.address_inside": (
        "{host} nằm trong mạng nội bộ nên không được tiếp âm. Hãy dùng địa chỉ công "
        "khai trên mạng."
    ),
    "core.source_away": "Nguồn tiếp âm không trả lời ({why}). Loa tự thử lại.",
    "core.source_unplayable": (
        "Loa không phát được loại nguồn này ({why}). Hãy xin địa chỉ MP3 của nguồn."
    ),
    # schedule
    "schedule.end_brings_back": (
        "Nếu thôi ngay, “{title}” đã duyệt trước đây sẽ phát lại. Hãy soạn giấy tờ "
        "mới thay cho nó và nhờ người thứ hai duyệt."
    ),
    "schedule.volume_mute": (
        "Âm lượng 0 cả ngày thì không ai nghe được tin nào. Hãy chọn khung giờ ngắn "
        "hơn hoặc âm lượng lớn hơn 0."
    ),
    "schedule.paper_malformed": (
        "Giấy tờ này thiếu hoặc sai ở mục “{field}”. Hãy xem lại mục đó rồi lưu."
    ),
    "schedule.clock_unreadable": (
        "Không đọc được giờ “{text}”. Hãy ghi như 05:30. Buổi chiều ghi như 17:30."
    ),
    "schedule.days_differ": (
        "Số liệu ngày của tháng {month} chưa khớp nhật ký phát, nên tháng này chưa được"
        " lưu trữ. Hãy báo người quản trị máy chủ."
    ),
    "schedule.day_unreadable": (
        "Không đọc được ngày “{text}”. Hãy ghi như 22/11/2026."
    ),
    "schedule.too_many_dates": (
        "Chỉ ghi được {limit} ngày nghỉ hoặc ngày thêm. Hãy đổi cách lặp thay vì ghi "
        "từng ngày."
    ),
    "schedule.places_unclear": (
        "Chưa rõ phát ở đâu. Hãy đánh dấu “Toàn đài”, hoặc bỏ dấu đó và chọn ít nhất "
        "một làng, một cụm loa."
    ),
    "schedule.number_wrong": "Ô “{what}” phải là số từ {least} đến {most}.",
    "schedule.name_wrong": "Hãy viết {what}, dài nhất {limit} ký tự.",
    "schedule.weekdays_missing": "Hãy chọn ít nhất một ngày.",
    "schedule.draft_moved": (
        "Bản soạn vừa được đổi ở nơi khác. Hãy tải lại trang, xem lại rồi làm tiếp."
    ),
    "schedule.slot_absent": (
        "Không có khung giờ này trong quy chế đang dùng. Hãy chọn lại ở lịch phát."
    ),
    "schedule.nothing_last_week": (
        "Tuần trước khung “{slot}” không có chương trình để chép. Hãy chọn từng mục."
    ),
    "schedule.paper_absent": "Không có giấy tờ này trong địa bàn của bạn.",
    "schedule.paper_untitled": "Hãy đặt tên cho giấy tờ, dài nhất {limit} ký tự.",
    "schedule.paper_elsewhere": (
        "{unit} không có loại giấy tờ “{kind}”. Hãy chọn xã, phường có đài."
    ),
    "schedule.paper_sent": (
        "Giấy tờ này đang “{state}” nên không sửa được nữa. Hãy soạn bản mới."
    ),
    "schedule.paper_decided": (
        "Giấy tờ này đang “{state}” nên không làm được việc này. Hãy tải lại trang."
    ),
    "schedule.paper_changed": (
        "Giấy tờ đã khác với bản vừa xem. Hãy tải lại trang, đọc lại rồi duyệt."
    ),
    "schedule.paper_past": (
        "Ngày cuối {day} đã qua nên giấy tờ không có tác dụng. Hãy chọn ngày khác."
    ),
    "schedule.own_paper": (
        "Bạn đã soạn hoặc gửi giấy tờ này nên không tự duyệt được. Hãy nhờ người thứ "
        "hai duyệt."
    ),
    "schedule.place_outside": (
        "Có nơi không thuộc {unit} hoặc không còn nữa. Hãy chọn lại nơi phát."
    ),
    "schedule.repeat_unreadable": (
        "Không hiểu cách lặp “{rule}”. Hãy chọn lại những ngày phát."
    ),
    "schedule.repeat_never": (
        "“{slot}” không bao giờ đến lượt phát ({rule}). Hãy chọn lại những ngày phát."
    ),
    "schedule.slot_twice": "Khung “{slot}” bị ghi hai lần. Hãy bỏ bớt một khung.",
    "schedule.slot_empty": (
        "Khung “{slot}” thiếu tên hoặc độ dài. Hãy ghi tên và số phút (dài "
        "nhất một ngày)."
    ),
    "schedule.slot_without_begin": (
        "Khung “{slot}” chưa có giờ bắt đầu. Hãy chọn giờ hoặc buổi."
    ),
    "schedule.slot_without_source": (
        "Khung tiếp âm “{slot}” chưa có nguồn. Hãy chọn một nguồn đã được duyệt."
    ),
    "schedule.source_absent": (
        "Nguồn tiếp âm của “{slot}” chưa được duyệt hoặc đã hết hiệu lực. Hãy chọn "
        "nguồn khác, hoặc gửi duyệt nguồn này trước."
    ),
    "schedule.fallback_absent": (
        "Bản tin dự phòng của “{slot}” chưa được duyệt hoặc đã hủy. Hãy chọn bản khác."
    ),
    "schedule.part_unknown": (
        "Khung “{slot}” ghi buổi “{part}” mà quy chế không có. Hãy thêm buổi này hoặc "
        "chọn giờ."
    ),
    "schedule.slots_overlap": (
        "“{one}” và “{other}” trùng giờ ở cùng một nơi, lần đầu vào ngày {day}. Hãy "
        "đổi giờ, ngày hoặc nơi của một khung."
    ),
    "schedule.slot_in_quiet": (
        "“{slot}” từ {begin} đến {end} chạm giờ yên lặng. Hãy dời sang từ {allowed}."
    ),
    "schedule.slot_too_long": (
        "“{slot}” dài {minutes} phút, dài hơn mọi khoảng giữa các giờ yên lặng. Hãy "
        "rút ngắn."
    ),
    "schedule.quiet_all_day": (
        "Giờ yên lặng phủ kín cả ngày nên không gì phát được. Hãy bớt giờ yên lặng."
    ),
    "schedule.never_allowed": (
        "Không khoảng nào giữa các giờ yên lặng đủ dài để phát. Hãy rút ngắn bản tin."
    ),
    "schedule.volume_range": "Âm lượng {percent}% không có. Hãy chọn từ 0 đến 100%.",
    "schedule.slot_unknown": (
        "Quy chế đang có hiệu lực không có khung “{slot}”. Hãy chọn khung khác."
    ),
    "schedule.slot_is_relay": (
        "“{slot}” là khung tiếp âm nên không xếp chương trình. Hãy chọn khung khác."
    ),
    "schedule.programme_empty": (
        "Chương trình của “{slot}” chưa có gì. Hãy thêm ít nhất một bản tin."
    ),
    "schedule.entry_empty": (
        "Mục số {number} chưa đủ: bản tin cần chọn bản đã duyệt, tiếp âm cần nguồn và "
        "số phút."
    ),
    "schedule.material_absent": (
        "Mục số {number} chưa được duyệt, đã hủy hoặc không phải của đài này. Hãy "
        "chọn bản khác."
    ),
    "schedule.entry_outside_slot": (
        "Mục số {number} phát ở nơi không thuộc khung này. Hãy chọn lại nơi phát."
    ),
    "schedule.overbooked": (
        "Chương trình dài hơn khung “{slot}” ({planned} phút) {minutes} phút. Hãy bớt "
        "mục hoặc nới khung."
    ),
    "schedule.source_unnamed": "Nguồn tiếp âm chưa có tên. Hãy ghi tên nguồn.",
    "schedule.address_unusable": (
        "Địa chỉ “{url}” không dùng được. Hãy dùng địa chỉ http hoặc https, không kèm "
        "tên và mật khẩu."
    ),
    "schedule.address_inside": (
        "“{host}” trỏ vào trong mạng nội bộ nên không được tiếp âm. Hãy dùng địa chỉ "
        "công khai."
    ),
    "schedule.address_unresolved": (
        "Không tìm thấy “{host}” trên mạng. Hãy xem lại địa chỉ rồi gửi lại."
    ),
    "schedule.order_empty": (
        "Thứ tự chưa có bản tin nào hoặc có bản ghi hai lần. Hãy sắp lại."
    ),
    "schedule.order_unknown": (
        "Bản tin {broadcast} không còn là tin ưu tiên của đài này. Hãy bỏ khỏi thứ tự."
    ),
    "schedule.authority_empty": (
        "Ủy quyền cần có người, việc được làm và lý do. Hãy ghi đủ."
    ),
    "schedule.officer_unknown": (
        "Có người không có quyền soạn hoặc duyệt ở đây. Hãy chọn lại cán bộ."
    ),
    "schedule.authority_too_long": (
        "Ủy quyền phải có ngày cuối, dài nhất {days} ngày. Hãy chọn lại ngày cuối."
    ),
    "schedule.authority_in_quiet": (
        "Giờ được ủy quyền chạm giờ yên lặng {begin}–{end}. Hãy chọn giờ khác."
    ),
    "schedule.broadcast_absent": "Không có lần phát này trong địa bàn của bạn.",
    "schedule.move_not_allowed": (
        "Bản tin đang ở trạng thái “{old}” nên không chuyển sang “{new}” được. "
        "Hãy tải lại trang."
    ),
    "schedule.timing_unknown": "Chưa chọn lúc phát. Hãy chọn một cách phát.",
    "schedule.time_passed": "Giờ phát đã qua. Hãy chọn giờ khác rồi gửi lại.",
    "schedule.emergency_is_now": (
        "Bản tin khẩn cấp phát ngay khi duyệt. Hãy chọn như vậy."
    ),
    "schedule.expiry_wrong": (
        "Tin khẩn cấp cần giờ hết hiệu lực, trong vòng {hours} giờ tới. Hãy chọn lại."
    ),
    "schedule.daily_incomplete": "Hãy chọn giờ phát, ngày đầu và ngày cuối.",
    "schedule.series_too_long": "Lịch hằng ngày dài nhất {days} ngày. Hãy rút ngắn.",
    "schedule.quiet_hours": (
        "Từ {begin} đến {end} là giờ yên lặng, chỉ tin khẩn cấp thật được phát. "
        "Hãy chọn từ {allowed}."
    ),
    "schedule.group_empty": (
        "Nhóm “{group}” không có thiết bị nào đang dùng. Hãy bỏ chọn nhóm này hoặc nhờ"
        " kỹ thuật thêm thiết bị vào nhóm."
    ),
    "schedule.empty_audience": (
        "Nơi bạn chọn chưa có thiết bị nào đang dùng. Hãy chọn nơi khác hoặc nhờ kỹ "
        "thuật duyệt thiết bị."
    ),
    "schedule.too_far_ahead": (
        "Chỉ đặt lịch trước được {days} ngày. Hãy chọn ngày gần hơn."
    ),
    "schedule.dates_reversed": "Ngày cuối phải từ ngày đầu trở đi. Hãy chọn lại.",
    "schedule.outside_unit": (
        "{unit} nằm ngoài nơi ra bản tin ({issuer}). Hãy bỏ chọn nơi này, hoặc viết "
        "bản tin ở cấp trên."
    ),
    "schedule.unit_ended": "{unit} không còn trên bản đồ hiện nay. Hãy chọn nơi khác.",
    "schedule.device_not_active": (
        "{device} chưa được dùng hoặc đã bị thu hồi. Hãy bỏ chọn thiết bị này."
    ),
    "schedule.plan_full": (
        "Lịch phát của nơi này đã đủ {limit} lần phát. Hãy bớt lịch rồi làm lại."
    ),
    "schedule.no_authority": (
        "Bạn chưa được ủy quyền làm một mình việc “{act}” ở nơi này vào giờ này. Hãy "
        "gửi bản tin để người thứ hai duyệt, hoặc xin ủy quyền thường trực."
    ),
    "schedule.live_over": "Phiên nói đã kết thúc: {why}. Hãy bấm Bắt đầu nói lại.",
    "schedule.live_absent": "Không có phiên nói này. Hãy bắt đầu phiên mới.",
    "schedule.relay_absent": (
        "Lúc này máy chủ không chuyển mã nguồn tiếp âm này: chưa tới giờ tiếp âm, hoặc "
        "nguồn không có tiếng."
    ),
    "schedule.live_nobody": "Chưa chọn ai nghe. Hãy chọn ít nhất một nơi.",
    "schedule.live_already": (
        "Bạn đang nói ở một cửa sổ khác. Hãy dừng phiên đó trước."
    ),
    "schedule.live_chunk_unusable": "Âm thanh gửi lên không đọc được. Hãy nói lại.",
    "schedule.talk_over_range": "Độ to của chương trình nền từ 0 đến 100.",
    "schedule.already_localised": (
        "Xã đã có bản riêng của tin này. Hãy mở bản đó ra sửa."
    ),
    "schedule.origin_withdrawn": (
        "Nơi gửi đã rút bản tin gốc, nên bản của xã không phát được nữa. Hãy chờ bản "
        "mới của nơi gửi, hoặc viết tin khác."
    ),
    "schedule.period_unreadable": (
        "Không đọc được ngày, hoặc ngày cuối trước ngày đầu. Hãy chọn lại."
    ),
    "schedule.entry_absent": "Không có tin này trong hộp tin của xã bạn.",
    "schedule.material_used": (
        "Xã đang dùng bản tin này. Hãy bỏ nó khỏi chương trình, hoặc hủy bản của xã, "
        "rồi chọn lại."
    ),
    "schedule.material_withdrawn": (
        "Nơi gửi đã rút bản tin này nên không nhận được. Hãy tải lại trang."
    ),
    "schedule.leave_reason_missing": "Hãy viết vì sao xã không dùng bản tin này.",
    "schedule.no_clash": "Không còn tin ưu tiên nào trùng giờ, nên không cần xếp.",
    "schedule.order_incomplete": (
        "Danh sách tin ưu tiên vừa thay đổi. Hãy tải lại trang rồi xếp lại."
    ),
    "schedule.not_an_announcement": (
        "Ủy quyền chỉ dùng để phát ngay thông báo. Hãy gửi bản tin này cho người duyệt."
    ),
    "schedule.reason_missing": "Hãy viết lý do để người nhận biết cần sửa gì.",
    "schedule.not_checked": (
        "Bản tin này cần một người kiểm tra trước, rồi người khác mới duyệt."
    ),
    "schedule.one_step": "Bản tin này chỉ cần một bước: hãy duyệt luôn.",
    "schedule.chain_people": (
        "{unit} chưa đủ hai người duyệt để làm hai bước. Hãy thêm người duyệt trước."
    ),
    "newsroom.own_check": ("Bạn đã kiểm tra bản tin này, nên người khác phải duyệt."),
    # channels
    "newsroom.channel_unknown": "Không có kênh này. Hãy tải lại trang.",
    "newsroom.channel_empty": (
        "Kênh “{channel}” chưa có chữ. Hãy viết, hoặc bỏ chọn kênh này."
    ),
    "newsroom.channel_too_long": (
        "Chữ của kênh “{channel}” dài quá {limit} ký tự. Hãy rút ngắn."
    ),
    "newsroom.sms_too_long": (
        "Tin nhắn dài {parts} phần, nhiều nhất {limit}. Hãy rút ngắn hoặc bỏ dấu."
    ),
    "newsroom.talk_too_long": "Nhiều nhất {limit} dòng gợi ý. Hãy gộp bớt.",
    "channels.phone_wrong": (
        "“{text}” không phải số điện thoại di động. Hãy ghi 10 số, ví dụ 0905 123 456."
    ),
    "channels.email_wrong": "“{text}” không phải địa chỉ thư. Hãy xem lại.",
    "channels.kind_wrong": "Hãy ghi số điện thoại hoặc địa chỉ thư.",
    "channels.name_missing": "Chưa có họ tên, hoặc tên dài quá 120 ký tự.",
    "channels.agreed_missing": (
        "Hãy ghi người này đồng ý nhận tin thế nào, khi nào (nhiều nhất 200 ký tự)."
    ),
    "channels.row_wrong": (
        "Dòng {number} sai (“{text}”): cần số hoặc thư, họ tên, đồng ý thế nào. "
        "Chưa nhập gì; hãy sửa tệp rồi gửi lại."
    ),
    "channels.rows_many": "Mỗi lần nhập nhiều nhất {limit} người. Hãy chia tệp ra.",
    "channels.contact_absent": "Không có người này trong danh bạ của bạn.",
    "channels.delivery_absent": "Không có lượt gửi này trong địa bàn của bạn.",
    "channels.not_failed": "Lượt gửi này không hỏng nên không cần gửi lại.",
    "channels.broadcast_over": (
        "Bản tin đã hủy hoặc đã cũ nên không gửi lại. Hãy soạn bản tin mới."
    ),
    "channels.talk_absent": "Không có trang nói chuyện này, hoặc bản tin chưa duyệt.",
    "channels.print_not_asked": (
        "Bản tin này không chọn kênh “Bản tin in”. Hãy sửa thành bản mới và chọn."
    ),
    # reorganization
    "reorganization.absent": "Không có lần sắp xếp này trong địa bàn của bạn.",
    "reorganization.not_province": (
        "Sắp xếp đơn vị là việc của cán bộ cấp tỉnh. Hãy báo cho tỉnh."
    ),
    "reorganization.title": "Hãy ghi tên lần sắp xếp, nhiều nhất {limit} ký tự.",
    "reorganization.province_missing": "Hãy chọn tỉnh của lần sắp xếp trước.",
    "reorganization.heir_unknown": (
        "Có xã, phường được chọn không nằm trong bảng kế thừa của tỉnh này."
        " Hãy chọn lại trong danh sách."
    ),
    "reorganization.day_missing": "Hãy chọn ngày sắp xếp trong danh sách.",
    "reorganization.nothing": (
        "Bảng kế thừa không có đơn vị nào được sắp xếp ngày {day}. Hãy chọn ngày khác."
    ),
    "reorganization.overlap": (
        "Một phần địa bàn này đang ở trong “{title}”. Hãy chạy xong hoặc bỏ lần ấy."
    ),
    "reorganization.state": "Lần sắp xếp này {state}, nên không làm việc ấy được nữa.",
    "reorganization.own_merge": (
        "Bạn đã lập hoặc quyết định trong lần sắp xếp này. "
        "Hãy nhờ người duyệt khác xem và chạy."
    ),
    "reorganization.too_early": "Chưa tới ngày {day}. Từ ngày ấy mới chạy được.",
    "reorganization.blocked": (
        "Chưa làm được: {what}. Hãy đợi xong hoặc kết thúc trước, rồi thử lại."
    ),
    "reorganization.undecided": (
        "Còn {count} đơn vị cũ chưa chọn nơi nhận. Hãy chọn rồi xem lại."
    ),
    "reorganization.silencing": (
        "Chạy bây giờ thì có thứ đã duyệt cho đơn vị cũ thôi phát. Chưa chuyển gì;"
        " hãy đọc phần “kẻo loa im”, rồi đánh dấu là đã đọc nếu vẫn chạy."
    ),
    "reorganization.changed": (
        "Từ lúc bạn xem đã có thay đổi. Chưa chuyển gì; hãy xem lại bản mới rồi chạy."
    ),
    "reorganization.lost": (
        "Số {kind} sau khi chuyển là {after}, trước là {before}. "
        "Đã trả lại tất cả như cũ; hãy báo bộ phận kỹ thuật."
    ),
    "reorganization.moved_since": (
        "{count} mục đã được sửa sau khi chuyển ({kinds}). Chưa hoàn tác gì; "
        "hãy xem danh sách, rồi chọn hoàn tác phần còn lại."
    ),
    "reorganization.unit_absent": (
        "Đơn vị này không cần chọn nơi nhận trong lần sắp xếp này."
    ),
    "reorganization.heir_elsewhere": (
        "{unit} không có đất ở nơi bạn chọn. Hãy chọn trong danh sách."
    ),
    # plan
    "plan.absent": "Không có kế hoạch này trong phần việc của bạn.",
    "plan.assignment_absent": "Không có việc này trong phần việc của bạn.",
    "plan.task_absent": "Không có nhiệm vụ này trong kế hoạch.",
    "plan.document_absent": "Không có văn bản này trong kế hoạch.",
    "plan.report_date_absent": "Không có ngày báo cáo này trong kế hoạch.",
    "plan.period_empty": "Ngày cuối phải sau ngày đầu. Hãy xem lại thời gian.",
    "plan.day_missing": "Chưa ghi ngày. Hãy ghi như 05/12/2026.",
    "plan.text_missing": "Chưa ghi {what}.",
    "plan.text_long": "Phần {what} dài quá {most} ký tự. Hãy viết gọn lại.",
    "plan.link": "Địa chỉ phải bắt đầu bằng https:// và không có dấu cách.",
    "plan.document_kind": "Hãy chọn là căn cứ hay văn bản chỉ đạo.",
    "plan.document_twice": "Văn bản {number} đã có trong kế hoạch này.",
    "plan.unit_of_then": (
        "Vào năm {day}, {unit} chưa có hoặc không còn. "
        "Hãy chọn đơn vị của thời gian trong kế hoạch."
    ),
    "plan.units_missing": "Chưa chọn đơn vị nào để giao. Hãy chọn ít nhất một.",
    "plan.units_of_then": (
        "Không giao được cho {units}: năm {day} không có đơn vị này dưới đơn vị ban "
        "hành. Hãy chọn lại."
    ),
    "plan.tasks_many": "Mỗi kế hoạch nhiều nhất {limit} nhiệm vụ.",
    "plan.without_tasks": "Kế hoạch chưa có nhiệm vụ nào. Hãy ghi nhiệm vụ rồi gửi.",
    "plan.task_outside": (
        "Hạn của nhiệm vụ phải trong thời gian kế hoạch, {first} đến {last}. "
        "Hãy sửa hạn, hoặc sửa thời gian kế hoạch trước."
    ),
    "plan.tasks_outside": (
        "Nhiệm vụ {numbers} có hạn nằm ngoài thời gian mới của kế hoạch. "
        "Hãy bỏ và ghi lại nhiệm vụ ấy trước."
    ),
    "plan.draft_spent": (
        "Bản thảo này có tiền đã ghi là chi nên không bỏ được. "
        "Hãy sửa số đã chi về 0 trước."
    ),
    "plan.draft_needed": "Có phần khác đang dựa vào bản thảo này nên không bỏ được.",
    "plan.sent": "Kế hoạch đã gửi xuống nên phần này không sửa được nữa.",
    "plan.not_sent": "Kế hoạch chưa gửi xuống, hoặc đã kết thúc.",
    "plan.closed": "Kế hoạch đã kết thúc nên không sửa được nữa.",
    "plan.not_now": (
        "Việc đang ở trạng thái “{state}” nên chưa làm được bước này. "
        "Hãy tải lại trang."
    ),
    "plan.not_of_unit": (
        "Người này không giữ vai trò nào ở đơn vị được giao. Hãy chọn người khác."
    ),
    "plan.inner_date_after": "Hạn trong đơn vị phải trước hoặc vào ngày {day}.",
    "plan.percent": "Tiến độ là số nguyên từ 0 đến 100.",
    "plan.evidence_missing": (
        "Báo xong cần bằng chứng. Hãy kèm ảnh hoặc địa chỉ văn bản, biên bản."
    ),
    "plan.own_report": "Không tự trả lại việc mình vừa báo xong. Hãy nhờ người khác.",
    "plan.number": "“{text}” không phải số. Hãy ghi như 1.234 hoặc 85,5.",
    "plan.target_stands": (
        "{unit} đã có chỉ tiêu “{name}” năm {year} là {old}. Muốn thay bằng {new}: đánh"
        " dấu vào ô xác nhận rồi bấm lại."
    ),
    "plan.negative": "Số không được dưới 0 (đã ghi {text}). Hãy ghi lại.",
    "plan.year": "“{text}” không phải năm. Hãy ghi bốn chữ số, như 2026.",
    "plan.unit_foreign": (
        "Kế hoạch này không có đơn vị “{unit}”. Hãy chọn đơn vị trên bản đồ của "
        "kế hoạch."
    ),
    "plan.unit_went": (
        "Năm {year} không còn {unit}. Đất ấy nay thuộc: {heirs}. "
        "Hãy giao cho đơn vị mới."
    ),
    "plan.row_wrong": "Dòng {number} sai nên chưa nhập gì: {text}.",
    "plan.headings_missing": (
        "Bảng thiếu cột: {names}. Hãy tải bảng chỉ tiêu về, ghi vào đó rồi gửi lại."
    ),
    "plan.no_rows": "Bảng không có dòng nào. Hãy ghi ít nhất một dòng.",
    "plan.row_twice": (
        "Dòng {first} và dòng {second} ghi hai giá trị cho cùng một đơn vị, chỉ tiêu"
        " và năm nên chưa nhập gì. Hãy giữ một dòng."
    ),
    "plan.rows_many": "Mỗi lần nhập nhiều nhất {limit} dòng. Hãy chia tệp ra.",
    "plan.money_kind": "Hãy chọn nguồn và việc trong danh sách.",
    "plan.money_range": "Số tiền phải lớn hơn 0 và không quá lớn. Hãy xem lại.",
    "plan.overspent": (
        "Đã chi nhiều hơn số tiền của nguồn. Hãy nâng số tiền trước, hoặc xem lại số."
    ),
    "plan.visit_absent": "Không có buổi kiểm tra này trong phần việc của bạn.",
    "plan.visit_future": "Ngày kiểm tra không thể ở phía trước. Hãy xem lại ngày.",
    "plan.visit_unit": "{unit} không được giao gì trong kế hoạch này.",
    "plan.finding_date": "Hạn khắc phục phải từ ngày kiểm tra trở đi.",
    "plan.finding_absent": "Không có điều cần khắc phục này trong phần việc của bạn.",
    "plan.own_answer": "Không tự xác nhận phần mình vừa trả lời. Hãy nhờ người khác.",
    "plan.carried": "Kế hoạch này đã được chuyển rồi. Hãy mở bản đã chuyển.",
    "plan.funding_absent": "Không có dòng kinh phí này trong phần việc của bạn.",
    # reports
    "reports.no_station": (
        "Bạn chưa phụ trách xã, phường nào nên chưa có sổ nhật ký để xem."
    ),
    "reports.form_absent": "Không có biểu mẫu này trong phần việc của bạn.",
    "reports.field_absent": "Không có mục này trong biểu mẫu. Hãy tải lại trang.",
    "reports.field_foreign": "Có mục không thuộc biểu mẫu này. Hãy tải lại trang.",
    "reports.period_absent": "Không có kỳ báo cáo này trong phần việc của bạn.",
    "reports.submission_absent": "Không có báo cáo này trong phần việc của bạn.",
    "reports.level": "Hãy chọn cấp được hỏi trong danh sách.",
    "reports.ratio": "Hãy chọn cách cộng của mục trong danh sách.",
    "reports.range_empty": "Mức cao nhất phải từ mức thấp nhất trở lên.",
    "reports.fields_many": "Mỗi biểu mẫu nhiều nhất {limit} mục. Hãy tách biểu mẫu.",
    "reports.indicator_twice": "Chỉ tiêu “{name}” đã có trong biểu mẫu này.",
    "reports.form_used": (
        "Biểu mẫu đã dùng cho một kỳ nên không sửa được nữa, để số các kỳ so được với"
        " nhau. Hãy lập biểu mẫu mới."
    ),
    "reports.form_empty": "Biểu mẫu chưa có mục nào. Hãy thêm mục rồi mở kỳ.",
    "reports.period_kind": "Hãy chọn loại kỳ trong danh sách.",
    "reports.period_number": "Số thứ tự của kỳ phải từ 1 đến {most}.",
    "reports.period_twice": "Biểu mẫu này đã có kỳ với đúng các ngày đó.",
    "reports.period_running": (
        "Kỳ còn đến hết ngày {day} nên chưa gửi được. Bạn có thể điền và lưu trước."
    ),
    "reports.due_days": "Hạn nộp là từ 1 đến {most} ngày làm việc sau khi hết kỳ.",
    "reports.days_unknown": (
        "Chưa có lịch nghỉ của năm {year} nên không tính được hạn theo ngày làm việc."
    ),
    "reports.nobody": "Không có {level} nào dưới đơn vị này để hỏi.",
    "reports.map_changed": (
        "Kỳ này nằm trên bản đồ khác hôm nay: {names}. Hãy chọn kỳ sau khi sắp xếp."
    ),
    "reports.closed": "Kỳ báo cáo đã đóng nên không sửa, gửi hay mở khóa được nữa.",
    "reports.locked": "Báo cáo đang ở “{state}” nên đã khóa. Cần được trả lại mới sửa.",
    "reports.not_now": "Báo cáo đang ở “{state}” nên chưa làm việc này được.",
    "reports.revision": (
        "{name} vừa lưu báo cáo này trong lúc bạn đang mở. Hãy xem các số đang lưu ở"
        " dưới, chọn số đúng rồi làm lại."
    ),
    "reports.half_figure": "“{name}”: cần ghi cả tử số và mẫu số.",
    "reports.share_over": "“{name}”: tử số lớn hơn mẫu số. Hãy xem lại hai số.",
    "reports.nothing_below": "“{name}”: mẫu số bằng 0 thì tử số cũng phải bằng 0.",
    "reports.too_large": "“{name}”: số lớn nhất ghi được là {most}. Hãy xem lại.",
    "reports.negative": "“{name}”: số không được dưới 0 (đã ghi {text}).",
    "reports.not_number": (
        "“{name}”: “{text}” không phải số. Hãy ghi như 1.234 hoặc 85,5."
    ),
    "reports.not_whole": (
        "“{name}” đếm từng cái nên phải là số nguyên, không có phần lẻ. Hãy ghi lại."
    ),
    "reports.range_least": ("“{name}” không được dưới {least}. Hãy xem lại số đã ghi."),
    "reports.range_most": "“{name}”: số phải từ 0 đến {most}. Hãy xem lại số đã ghi.",
    "reports.range": (
        "“{name}”: số phải từ {least} đến {most}. Hãy xem lại số đã ghi."
    ),
    "reports.incomplete": (
        "Còn {count} mục chưa có số và chưa giải trình: {names}. Hãy ghi số, hoặc ghi"
        " rõ vì sao chưa có."
    ),
    "reports.unexplained": (
        "Số khác hẳn các kỳ trước mà chưa giải trình: {names}. Hãy xem lại số, hoặc"
        " ghi lý do."
    ),
    "reports.below_waiting": (
        "Còn {count} đơn vị dưới chưa được duyệt. Hãy chờ, hoặc ghi rõ vì sao gửi"
        " khi chưa đủ."
    ),
    "reports.above_sent": (
        "Báo cáo tổng hợp cấp trên đã gửi. Hãy mở lại báo cáo đó trước."
    ),
    "reports.publication_absent": "Không có số liệu nào được công bố ở địa chỉ này.",
    "reports.publication_withdrawn": "Số liệu này đã rút lại. Lý do: {reason}",
    "reports.publish_unit": "Xã không công bố riêng. Hãy chọn đơn vị cấp trên.",
    "reports.publish_nothing": "Chưa chọn con số nào. Hãy chọn ít nhất một.",
    "reports.publish_early": "Kỳ này chưa hết nên chưa công bố được.",
    "reports.publish_uncounted": "Kỳ này chưa có ngày nào được đếm. Hãy chọn kỳ khác.",
    "reports.published_twice": (
        "Kỳ này đã công bố rồi. Muốn sửa thì rút lại kèm lý do, rồi công bố lại."
    ),
    "reports.withdrawn": "Số liệu này đã rút lại rồi.",
    "reports.sheet_absent": "Không có bảng điểm này trong phần việc của bạn.",
    "reports.sheet_unit": "Xã không chấm điểm xã. Hãy chọn đơn vị cấp trên.",
    "reports.sheet_year": "Năm phải từ {first} đến {last}.",
    "reports.sheet_twice": "Năm {year} đã có bảng điểm. Hãy mở bảng đó.",
    "reports.sheet_locked": "Bảng điểm đã ban hành nên không sửa được nữa.",
    "reports.sheet_draft": "Bảng điểm chưa ban hành. Hãy ban hành trước.",
    "reports.own_sheet": "Không tự ban hành bảng mình vừa sửa. Hãy nhờ người khác.",
    "reports.results_shown": "Kết quả của năm này đã công khai rồi.",
    "reports.year_running": "Năm {year} chưa hết nên chưa công khai kết quả được.",
    "reports.weight": "Trọng số phải là số nguyên từ 1 đến {full}.",
    "reports.weights_sum": "Các trọng số cộng lại là {total}, phải đúng {full}.",
    "reports.full_at": "Mức đủ điểm phải lớn hơn 0. Bỏ trống thì lấy chỉ tiêu của xã.",
    "reports.least_covered": "Mức tối thiểu để xếp hạng phải từ 1 đến {full}.",
    "reports.not_countable": (
        "Hệ thống chưa đếm được “{name}” nên chưa chấm điểm được. Hãy chọn chỉ tiêu"
        " khác."
    ),
    "reports.no_communes": "Một xã không có xã khác bên dưới. Hãy chọn cấp trên.",
    "reports.sections_many": "Phần lời có nhiều nhất {most} phần. Hãy gộp bớt.",
    "reports.section_long": "Mỗi phần lời dài nhất {most} chữ. Hãy rút gọn.",
    "reports.number_taken": (
        "Số {number} năm {year} đã là của báo cáo khác của đơn vị này."
        " Hãy xem lại số trên văn bản."
    ),
    "reports.opened_late": (
        "Hạn của kỳ này là {due}, đã qua rồi: mở ra thì mọi đơn vị muộn ngay."
        " Hãy đổi số ngày nộp, hoặc đánh dấu vào ô xác nhận rồi bấm lại."
    ),
    "reports.call_empty": (
        "Còn {count} chỗ trống trong bản trả lời."
        " Hãy nối thêm, hoặc đánh dấu vào ô xác nhận rồi bấm lại."
    ),
    "reports.issued": (
        "Báo cáo đã ban hành, số {number}, nên không sửa được nữa. Cần đính chính thì"
        " làm báo cáo của kỳ sau."
    ),
    "reports.issue_absent": "Báo cáo này chưa có văn bản đã ban hành.",
    "reports.issue_number": (
        "Số, ký hiệu phải như 123/BC-UBND. Hãy chép đúng trên văn bản đã ban hành."
    ),
    "reports.issue_day": (
        "Ngày ban hành phải từ ngày gửi báo cáo {first} đến hôm nay. Hãy xem lại."
    ),
    "reports.pdf_missing": "Chưa chọn tệp PDF đã ký. Hãy tải từ hệ thống văn bản về.",
    "reports.pdf_wrong": "Tệp này không phải PDF. Hãy chọn bản PDF đã ký.",
    "reports.pdf_big": "Tệp PDF lớn hơn {most} MB. Hãy lấy bản ký số, quét nhẹ hơn.",
    "reports.pdf_unsigned": "Tệp PDF này không có chữ ký số. Hãy chọn bản đã ký số; nếu"
    " là bản giấy ký tay đã quét thì đánh dấu ô đó.",
    "reports.issue_unsure": "Chưa lưu. Mở tệp xem lại: số {number}, ngày {day}, chữ ký;"
    " đúng cả thì chọn lại tệp và đánh dấu đã xem. Lưu rồi không sửa được nữa.",
    "reports.call_absent": "Không có yêu cầu báo cáo này trong phần việc của bạn.",
    "reports.call_answered": (
        "Yêu cầu này đã trả lời nên không sửa được nữa. Cần gửi lại thì lập yêu cầu mới"
        " với cùng tệp; các chỗ đã nối được nhớ."
    ),
    "reports.call_open": "Yêu cầu này chưa ai trả lời. Hãy bấm “Bỏ yêu cầu” nếu nhầm.",
    "reports.call_withdrawn": "Yêu cầu này đã rút lại rồi.",
    "reports.pay_amount": "Số tiền phải lớn hơn 0 và không quá lớn. Hãy xem lại.",
    "reports.pay_over": (
        "Số tiền {amount} đồng nhiều hơn số còn phải trả {left} đồng (cả tháng {due}), "
        "thừa {over} đồng. Hãy sửa lại; đúng là trả thừa thì đánh dấu rồi ghi lại."
    ),
    "reports.pay_day": "Ngày trả phải từ {first} đến hôm nay. Hãy xem lại ngày.",
    "reports.pay_person": (
        "Người này không có trong bảng thù lao tháng {month}. Hãy chọn trong danh sách."
    ),
    "reports.pay_twice": (
        "Chứng từ {document} đã ghi cho người này trong tháng này. "
        "Ghi nhầm thì rút dòng cũ lại trước."
    ),
    "reports.pay_settled": "Tháng này không còn ai phải trả nữa.",
    "reports.pay_absent": "Không có lần trả này ở đài của bạn. Hãy tải lại trang.",
    "reports.pay_withdrawn": "Lần trả này đã rút lại rồi.",
    "reports.pay_file": "Chưa chọn tệp. Hãy chọn tệp CSV hoặc Excel.",
    "reports.pay_headings": (
        "Bảng thiếu cột: {names}. Hãy tải bảng tháng này về, điền vào rồi gửi lại."
    ),
    "reports.pay_row": "Dòng {number} sai nên chưa nhập gì: {text}.",
    "reports.pay_no_rows": "Bảng không có dòng nào ghi số tiền. Hãy điền ít nhất một.",
    "reports.pay_rows_many": "Mỗi lần nhập nhiều nhất {limit} dòng. Hãy chia tệp ra.",
    "reports.call_due": "Hạn trả lời đã qua. Hãy ghi hạn từ hôm nay trở đi.",
    "reports.call_missing": "Chưa chọn tệp mẫu. Hãy chọn tệp .docx hoặc .xlsx.",
    "reports.call_file": (
        "Tệp phải là Word .docx hoặc Excel .xlsx. Tệp .doc, .xls cũ thì mở ra rồi lưu"
        " thành kiểu mới."
    ),
    "reports.call_big": "Tệp mẫu lớn hơn {most} MB. Hãy bỏ bớt hình trong tệp.",
    "reports.call_bomb": "Tệp này phồng lên khi mở ra nên không nhận. Hãy báo nơi gửi.",
    "reports.call_broken": (
        "Tệp hỏng hoặc có mật khẩu nên không mở được. Hãy xin lại tệp, bỏ mật khẩu."
    ),
    "reports.call_active": (
        "Tệp có macro, tệp nhúng hoặc lệnh lấy dữ liệu từ nơi khác nên không nhận. Hãy"
        " xin nơi gửi tệp không có các thứ đó."
    ),
    "reports.call_external": (
        "Tệp tự lấy nội dung từ địa chỉ bên ngoài nên không nhận. Hãy báo nơi gửi."
    ),
    "reports.place_absent": "Không có chỗ này trong tệp mẫu. Hãy tải lại trang.",
    "reports.cell_absent": (
        "Không có ô này. Hãy ghi trang và ô như Biểu 1!C7. Các trang: {names}."
    ),
    "reports.cell_formula": (
        "Ô {cell} có công thức của nơi gửi nên không ghi đè. Hãy chọn ô trống."
    ),
    "reports.cell_merged": "Ô {cell} nằm trong ô gộp. Hãy dùng ô đầu là {first}.",
    "reports.target": "Hãy chọn trong danh sách chỗ này ghi gì.",
    "reports.target_unit": "Hãy chọn đơn vị trong danh sách.",
    "reports.own_report": "Không tự duyệt báo cáo mình vừa gửi. Hãy nhờ người khác.",
    # indicators
    "indicators.day_open": "Ngày {day} chưa hết nên chưa đếm được.",
    "indicators.day_put_away": (
        "Nhật ký phát của ngày {day} đã cất vào kho lưu trữ: số liệu ngày đó không đổi"
        " nữa."
    ),
    "indicators.no_ground": (
        "Bạn chưa phụ trách xã, phường hoặc tỉnh nào nên chưa có chỉ tiêu để xem."
    ),
    "indicators.period_unreadable": (
        "Chưa đọc được ngày. Hãy ghi từ ngày, đến ngày như 01/11/2026."
    ),
    "indicators.period": "Kỳ phải có ít nhất một ngày và nhiều nhất mười năm.",
    "indicators.unit_kind": (
        "{name} không có bảng chỉ tiêu riêng. Hãy chọn xã, phường hoặc tỉnh."
    ),
    "indicators.unit_of_then": (
        "{name} không có trên bản đồ ngày {day}. Đơn vị cùng địa bàn: {heirs}."
    ),
    "indicators.unknown": "Không có chỉ tiêu “{code}”. Hãy chọn trong danh mục.",
    "indicators.not_reported": (
        "“{name}” do hệ thống đếm, không nhận số từ báo cáo. Hãy xem số đó ở Chỉ tiêu."
    ),
    "indicators.value_range": (
        "“{name}” phải là số từ 0 đến {most}. Hãy xem lại số vừa ghi."
    ),
    "indicators.value_whole": (
        "“{name}” đếm từng {unit} nên phải là số nguyên. Hãy xem lại số vừa ghi."
    ),
    "indicators.listening_absent": "Không có đợt hỏi nghe này trong phần việc của bạn.",
    "indicators.listening_quarter": "Hãy chọn quý trong danh sách.",
    "indicators.listening_days": (
        "Ngày hỏi phải từ {first} đến {last}, dài nhất {most} ngày. Hãy chọn lại."
    ),
    "indicators.listening_wish": (
        "Hãy chọn sai số và độ tin cậy trong danh sách; số bốc thăm là số nguyên."
    ),
    "indicators.listening_villages": (
        "{name} chưa có thôn, làng nào trong hệ thống. Hãy nhập danh sách thôn trước."
    ),
    "indicators.listening_bulletin": (
        "Bản tin này không phát ở địa bàn được hỏi. Hãy chọn trong danh sách."
    ),
    "indicators.listening_twice": (
        "Quý {quarter}/{year} đã rút thăm rồi. Hãy dùng đợt đó, hoặc bỏ nó nếu chưa ai"
        " trả lời."
    ),
    "indicators.listening_code": (
        "Không có mã này. Hãy xem lại mã trên phiếu hoặc quét lại mã QR."
    ),
    "indicators.listening_key": "Trang này đã cũ. Hãy tải lại trang rồi ghi lại.",
    "indicators.listening_key_used": (
        "Câu trả lời trước đã được nhận; người này chưa ghi. Hãy ghi lại rồi gửi."
    ),
    "indicators.listening_incomplete": (
        "Còn câu chưa chọn. Hãy chọn đủ các câu rồi gửi lại."
    ),
    "indicators.listening_not_begun": "Chưa đến ngày hỏi. Hãy hỏi từ ngày {day}.",
    "indicators.listening_over": "Đợt hỏi đã xong nên không nhận thêm câu trả lời.",
    "indicators.listening_full": "Thôn này đã đủ câu trả lời. Cảm ơn bạn.",
    "indicators.listening_answered": (
        "Đã có người trả lời nên không bỏ được. Hãy kết thúc đợt này."
    ),
    "indicators.listening_unanswered": (
        "Chưa có câu trả lời nào nên không kết thúc sớm được. "
        "Hãy đợi người hỏi gửi về, hoặc bỏ đợt này và ghi vì sao."
    ),
    "indicators.listening_reason": "Hãy ghi vì sao bỏ, nhiều nhất 500 ký tự.",
    "indicators.listening_ended": "Đợt hỏi này đã kết thúc. Hãy tải lại trang.",
    "indicators.listening_open": (
        "Đợt hỏi chưa kết thúc nên chưa có kết quả. Hãy xem lại sau ngày hỏi cuối."
    ),
    # registers
    "registers.line_absent": "Không có dòng này trong sổ của địa bàn bạn.",
    "registers.begins_wrong": (
        "Ngày bắt đầu {day} không hợp lý. Hãy ghi ngày từ 1950 đến hôm nay."
    ),
    "registers.ends_first": "Ngày thôi phải sau ngày bắt đầu. Hãy xem lại hai ngày.",
    "registers.year": "Năm {year} không hợp lý. Hãy ghi năm từ 1950 đến {last}.",
    "registers.twice": (
        "Sổ của đơn vị này đã có đúng dòng như vậy. Hãy tìm trong sổ rồi sửa dòng đó."
    ),
    "registers.changed_meanwhile": (
        "Người khác vừa sửa dòng này. Hãy mở lại dòng, xem lịch sử rồi sửa tiếp."
    ),
    "registers.unit_kind": "{unit} không ghi được vào sổ này. Hãy chọn đơn vị khác.",
    "registers.unit_missing": (
        "Chưa chọn nơi. Hãy chọn trong danh sách; thôn, làng chưa có thì nhờ quản trị"
        " đưa danh sách thôn, làng vào trước."
    ),
    "registers.field_wrong": "{words}.",
    "registers.forgotten": (
        "Dữ liệu cá nhân của dòng này đã xóa theo yêu cầu nên không ghi lại được."
    ),
    "registers.not_a_person": "Dòng này không phải là người. Hãy ghi ngày thôi dùng.",
    "registers.not_sure": (
        "Xóa rồi không lấy lại được. Hãy đánh dấu vào ô xác nhận rồi bấm lại."
    ),
    "registers.not_your_person": (
        "Dữ liệu cá nhân chỉ đơn vị của người này sửa. Hãy nhờ đơn vị đó."
    ),
    "registers.headings_missing": (
        "Bảng thiếu cột: {names}. Hãy tải bảng mẫu về, ghi vào đó rồi gửi lại."
    ),
    "registers.no_rows": "Bảng không có dòng nào. Hãy ghi ít nhất một dòng.",
    "registers.training_absent": "Không có đợt tập huấn này trong phần việc của bạn.",
    "registers.training_title": "Tên đợt tập huấn dài từ 1 đến 200 ký tự.",
    "registers.training_twice": (
        "Đơn vị này đã có đợt tập huấn cùng tên. Hãy thêm năm hoặc đợt vào tên."
    ),
    "registers.lessons": "Hãy ghi từ 1 đến {most} bài, mỗi bài một dòng.",
    "registers.lesson_titles": (
        "Tên các bài không được trùng nhau và dài nhất 200 ký tự. Hãy xem lại."
    ),
    "registers.lessons_missing": "Hãy chọn ít nhất một bài của đợt tập huấn này.",
    "registers.day_missing": "Chưa ghi ngày học. Hãy ghi như 05/12/2026.",
    "registers.proven_wrong": (
        "Ngày học {day} không hợp lý. Hãy ghi ngày từ 1950 đến hôm nay."
    ),
    "registers.proof_absent": "Không có bài đã học này. Có thể đã bỏ trước đó.",
    "registers.proof_none": "Lượt này không có giấy nào đang còn giá trị để rút.",
    "registers.proof_withdrawn": (
        "Giấy luyện tập số {number} đã rút lại, không còn giá trị. Lý do: {reason}"
    ),
    "registers.practice_absent": "Không có lượt luyện tập này trong địa bàn bạn.",
    "registers.practice_silent": (
        "Loa luyện tập đang im: bản tin chưa gửi duyệt, đã dừng, hoặc là của người"
        " khác. Hãy mở lượt của bạn."
    ),
    "registers.practice_no_unit": (
        "Tài khoản này chưa có vai trò ở đơn vị nào. Hãy nhờ quản trị giao vai trò"
        " rồi luyện tập."
    ),
    "registers.practice_step": (
        "Bước này đã qua hoặc chưa tới. Trang dưới đây là đúng bước đang làm."
    ),
    "registers.practice_over": (
        "Lượt luyện tập này đã kết thúc. Muốn luyện thêm, hãy bắt đầu lượt mới."
    ),
    "registers.practice_unanswered": "Chưa chọn câu trả lời. Hãy chọn một câu.",
    "registers.practice_answer": "Chưa đúng. {why} Hãy đọc lại và chọn câu khác.",
    "registers.practice_too_long": (
        "Bản tin luyện tập dài nhất {most} ký tự. Hãy viết ngắn lại."
    ),
    "registers.practice_missed": (
        "Bản tin này có lỗi nên không được duyệt. {why} Hãy trả lại và ghi lý do."
    ),
    "registers.practice_reason": (
        "Hãy ghi lý do, nhiều nhất {most} ký tự, để người soạn biết sửa gì."
    ),
    "registers.practice_changed": (
        "Bản tin đã khác với bản bạn vừa xem. Hãy xem lại bản dưới đây rồi duyệt."
    ),
    "registers.practice_needed": (
        "Đến ngày {day} người này chưa có giấy xác nhận luyện tập. Hãy để người ấy"
        " luyện tập trước, hoặc bỏ chọn bài đó."
    ),
    "registers.practice_named": "Lượt luyện tập này đã ghi là của ai trong sổ.",
    # emergency
    "emergency.until_wrong": "Hãy chọn giờ kết thúc trong vòng {hours} giờ tới.",
    "emergency.same_person": (
        "Bạn là người xin cho phát lại nên cần người thứ hai xác nhận."
    ),
    "emergency.lift_not_asked": "Chưa ai xin cho phát lại. Hãy xin phép trước.",
    "emergency.stop_absent": "Không có lệnh dừng này.",
    "emergency.stop_over": "Lệnh dừng này đã hết hoặc đã được gỡ.",
    "emergency.not_an_alert": "Chỉ tin khẩn cấp mới có bản đính chính kiểu này.",
    # audit
    "audit.month_open": "Tháng {month} chưa hết nên chưa lưu trữ được. Hãy đợi.",
    "audit.archive_broken": (
        "Tệp lưu trữ {file} không còn nguyên vẹn ({why}). Không có gì bị xóa hay chép"
        " lại; hãy lấy bản sao của tệp này từ nơi sao lưu."
    ),
    "audit.guards_missing": (
        "Cơ sở dữ liệu thiếu lớp bảo vệ nên không duyệt được. Hãy báo quản trị chạy "
        "lệnh migrate."
    ),
    # portal
    "portal.page_absent": "Không có trang của xã này. Hãy tìm xã trong danh sách.",
    # speech
    "speech.audio_unsupported": (
        "Tệp này không phải âm thanh hoặc không đọc được. "
        "Hãy gửi tệp MP3, WAV, M4A hoặc ghi âm lại."
    ),
    "speech.audio_too_long": "Bản ghi âm quá dài. Hãy cắt còn dưới 30 phút.",
    "speech.silent": "Không nghe thấy gì trong bản ghi âm. Hãy ghi âm lại.",
    "speech.loudness_missed": (
        "Không chỉnh được độ to của âm thanh này. Hãy ghi âm lại, nói đều và gần micrô."
    ),
    "speech.no_machine_voice": (
        "Chưa có giọng máy cho ngôn ngữ này. Hãy ghi âm người đọc."
    ),
    "speech.voice_unknown": "Không có giọng máy này. Hãy báo người quản trị.",
    "speech.voice_broken": "Giọng máy bị lỗi. Hãy bấm thử lại.",
    "speech.voice_timeout": "Giọng máy đọc quá lâu. Hãy bấm thử lại.",
    "speech.voice_key_missing": (
        "Giọng của nhà cung cấp thiếu khóa. Hãy báo người quản trị đặt biến môi trường."
    ),
    "newsroom.word_absent": "Từ này không có trong từ điển hoặc vừa bị bỏ.",
    "newsroom.word_written": (
        "Từ cần đọc phải bắt đầu bằng chữ cái và dài từ 2 đến 60 chữ. Hãy sửa lại."
    ),
    "newsroom.word_spoken": (
        "Cách đọc phải có chữ và không quá 200 chữ. Hãy viết như khi đọc to."
    ),
    "newsroom.word_same": "Cách đọc giống hệt chữ viết. Hãy viết như khi đọc to.",
    "newsroom.word_doubtful": (
        "Cách đọc còn chỗ máy không hiểu. Hãy viết bằng âm tiết tiếng Việt."
    ),
    "newsroom.word_rows": (
        "Một số dòng trong tệp không dùng được, chưa nhập dòng nào. Hãy sửa rồi gửi."
    ),
    "newsroom.word_too_many": "Từ điển đã đầy. Hãy bỏ bớt từ không dùng.",
    "newsroom.word_file_missing": "Chưa chọn tệp CSV. Hãy chọn tệp rồi bấm lại.",
    "speech.voices_file": (
        "Không đọc được tệp khai báo giọng. Hãy báo quản trị xem NGUON_VOICES_FILE."
    ),
    "speech.manner_unsafe": (
        "Tốc độ, độ cao hoặc âm lượng vượt mức nghe rõ. Hãy chọn trong khoảng cho phép."
    ),
    "emergency.nothing_chosen": "Chưa chọn nơi dừng phát. Hãy chọn một nơi.",
    "schedule.time_unreadable": (
        "Ngày giờ không đọc được. Hãy ghi ngày như 22/11/2026 và giờ như 05:30."
    ),
    "schedule.too_many_places": (
        "Chọn quá nhiều nơi, nhiều nhất {limit}. Hãy chọn cả xã hoặc cả tỉnh."
    ),
    # web
    "web.sign_in": "Hãy đăng nhập rồi làm tiếp.",
    "web.not_done": "Việc vừa bấm CHƯA được làm. Hãy đăng nhập rồi bấm lại.",
    "web.method_wrong": (
        "Địa chỉ này chỉ dùng khi bấm nút, nên chưa có gì được làm. Hãy quay lại "
        "trang trước, tải lại rồi bấm lại."
    ),
    "web.absent": "Không có trang này. Hãy xem lại địa chỉ hoặc về trang Hôm nay.",
    "web.refused": "Bạn không được mở trang này. Hãy nhờ quản trị giao quyền.",
    "web.form_old": "Trang đã mở quá lâu. Hãy tải lại trang rồi làm lại.",
    "web.request_unusable": "Yêu cầu không đọc được. Hãy tải lại trang rồi thử lại.",
    "web.too_many": "Thử quá nhiều lần. Hãy đợi ít phút rồi thử lại.",
    "web.broken": (
        "Máy chủ gặp lỗi. Việc vừa làm có thể chưa xong; hãy tải lại trang để xem."
    ),
}


def sentence(code: str, data: Mapping[str, Any] | None = None) -> str:
    """Return the sentence for a code, in the reader's language."""
    text = SENTENCES.get(code, UNKNOWN)
    return Formatter().vformat(text, (), Known(data or {}))
