// Phát ngay: the whole place or parts of it; a voice recorded here. Without scripts the
// file field opens the phone's own recorder.
"use strict";

const form = document.getElementById("announce");
const whole = form?.querySelector("[data-whole]");

form?.addEventListener("change", (event) => {
  const box = event.target;
  if (!["units", "groups"].includes(box.name)) return;
  const parts = [...form.querySelectorAll("[name=units], [name=groups]")].filter((one) => one !== whole);
  if (box === whole && whole.checked) for (const part of parts) part.checked = false;
  else whole.checked = !parts.some((part) => part.checked);
  form.dispatchEvent(new CustomEvent("nguon:places"));
});

const button = document.getElementById("record");
const file = document.getElementById("recording");
const note = document.getElementById("recorded");
const KINDS = ["audio/mp4", "audio/webm;codecs=opus", "audio/webm", "audio/ogg"];
let recorder = null;

if (button && navigator.mediaDevices && window.MediaRecorder) {
  button.hidden = false;
  file.hidden = true;
  button.addEventListener("click", () => { if (recorder) recorder.stop(); else start(); });
}

async function start() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    note.textContent = "Chưa mở được micrô. Hãy cho phép dùng micrô, hoặc chọn tệp ghi âm.";
    file.hidden = false;
    return;
  }
  const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
  const parts = [];
  recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
  const began = Date.now();
  const clock = setInterval(() => {
    note.textContent = `Đang ghi… ${Math.round((Date.now() - began) / 1000)} giây. Bấm lần nữa để dừng.`;
  }, 500);
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", () => {
    clearInterval(clock);
    for (const track of stream.getTracks()) track.stop();
    const kept = new DataTransfer();
    kept.items.add(new File(parts, "ghi-am", { type: recorder.mimeType }));
    file.files = kept.files;
    recorder = null;
    button.querySelector("span").textContent = button.dataset.start;
    note.textContent = "Đã ghi xong. Bấm “Nghe” để nghe đúng tiếng sẽ phát.";
  });
  recorder.start();
  button.querySelector("span").textContent = button.dataset.stop;
}
