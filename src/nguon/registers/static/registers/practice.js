// The made-up loudspeaker sounds in the newcomer's own browser, and falls silent when stopped.
"use strict";

const speaker = document.querySelector("[data-speaker]");
const sounding = speaker && speaker.querySelector("audio");
if (sounding) {
  const said = speaker.querySelector("[data-said]");
  const again = "Bấm nút phát để nghe: tiếng chỉ ra ở máy của bạn.";
  sounding.addEventListener("play", () => { said.textContent = "Đang phát, chỉ ở máy của bạn."; });
  sounding.addEventListener("pause", () => { said.textContent = again; });
  sounding.addEventListener("ended", () => { said.textContent = "Đã đọc hết. Nghe lại thì bấm nút phát."; });
  sounding.addEventListener("error", () => { said.textContent = "Không tải được tiếng. Cứ dừng như thường."; }, true);
  // Some browsers let nothing sound that was not touched.
  sounding.play().catch(() => { said.textContent = again; });
  document.querySelector("[data-silence]").addEventListener("submit", () => {
    sounding.pause();
    said.textContent = "Loa đã im.";
  });
}
