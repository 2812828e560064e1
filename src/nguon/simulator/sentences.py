"""What a person at the console reads when the simulator cannot go on."""

SENTENCES: dict[str, str] = {
    "simulator.answer_malformed": "Máy chủ trả lời không đọc được. Hãy xem nhật ký.",
    "simulator.bus_deaf": "Máy chủ tin không cho nghe ({answer}). Hãy xem quyền.",
    "simulator.bus_refused": "Máy chủ tin từ chối thiết bị ({answer}).",
    "simulator.claim_malformed": "Mã {claim} không đúng dạng 16 chữ và số.",
    "simulator.claims_too_few": "Có {have} mã, cần {need}. Hãy tạo thêm mã.",
    "simulator.claims_unreadable": "Không đọc được tệp mã {file}.",
    "simulator.home_in_use": "Thư mục {home} đang có bản khác dùng.",
    "simulator.packet_malformed": "Gói tin MQTT hỏng ({kind}).",
    "simulator.packet_too_long": "Gói tin MQTT dài {length} byte, quá cỡ.",
    "simulator.server_malformed": "Địa chỉ {server} không đúng.",
    "simulator.server_refused": "Máy chủ từ chối: {status} {reason}.",
    "simulator.server_trouble": "Máy chủ gặp lỗi {status}. Hãy xem nhật ký web.",
    "simulator.server_unreachable": "Không tới được máy chủ. Hãy kiểm tra địa chỉ.",
    "simulator.server_without_tls": "Địa chỉ ngoài máy phải mã hóa: {server}.",
}
