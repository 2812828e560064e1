"""What the registers count on a day, by unit, and in which words. No database."""

from collections.abc import Mapping

STAFF, STAFF_TRAINED, STAFF_TOLD = "staff", "staff_trained", "staff_told"
PROPAGANDISTS, PROPAGANDISTS_TOLD = "propagandists", "propagandists_told"
OTHER_STATIONS, STATIONS_TOLD = "other_stations", "stations_told"
# `…_told` is what a unit has told of by then: it stands behind no figure.
COUNTS: Mapping[str, str] = {
    STAFF: "người đang giữ việc trong sổ nhân lực",
    STAFF_TRAINED: "người trong sổ đã học đủ các bài của một đợt tập huấn",
    PROPAGANDISTS: "người trong sổ tuyên truyền viên",
    OTHER_STATIONS: "đài có dây, FM còn dùng trong sổ đài",
}
