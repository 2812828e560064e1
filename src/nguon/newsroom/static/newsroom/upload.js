// Sends a file in pieces: whatever the network does, it goes on from where it came to.
// Without scripts the form sends the file whole.
"use strict";

const PATIENCE = 60;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function refusal(answer) {
  const facts = await answer.json().catch(() => ({}));
  return new Error(facts.message || "Chưa gửi được tệp. Hãy thử lại.");
}

export async function sendFile(file, { begin, token, tell = () => {} }) {
  const told = new FormData();
  told.append("name", file.name || "ghi-am");
  told.append("size", String(file.size));
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  const made = await fetch(begin, { method: "POST", body: told, headers });
  if (!made.ok) throw await refusal(made);
  const { uid, url, piece } = await made.json();
  let offset = 0;
  let failures = 0;
  while (offset < file.size) {
    tell(offset / file.size, failures > 0);
    try {
      const answer = await fetch(url, {
        method: "PATCH", body: file.slice(offset, offset + piece),
        headers: { ...headers, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
      });
      if (answer.ok) { offset = Number(answer.headers.get("Upload-Offset")); failures = 0; continue; }
      if (answer.status !== 409 && answer.status < 500) throw Object.assign(await refusal(answer), { final: true });
    } catch (error) {
      if (error.final) throw error;
    }
    failures += 1;
    if (failures > PATIENCE) throw new Error("Mạng yếu quá, chưa gửi xong tệp. Hãy thử lại khi có mạng.");
    await pause(Math.min(5000, 500 * failures));
    const state = await fetch(url, { method: "HEAD", headers }).catch(() => null);
    if (state && state.ok) offset = Number(state.headers.get("Upload-Offset"));
    if (state && state.status === 404) throw new Error("Tệp gửi dở đã hết hạn. Hãy gửi lại từ đầu.");
  }
  tell(1, false);
  return uid;
}

const form = document.getElementById("take");

function setUp() {
  const progress = document.getElementById("progress");
  const wrong = document.getElementById("upload-error");
  const key = "nguon-paste";
  const text = form.text;
  try { if (text && !text.value) text.value = localStorage.getItem(key) || ""; } catch (error) { /* a closed store */ }
  if (text) text.addEventListener("input", () => {
    try { localStorage.setItem(key, text.value); } catch (error) { /* full */ }
  });
  form.addEventListener("submit", async (event) => {
    const file = form.file.files[0];
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    wrong.hidden = true;
    try {
      const sent = new FormData();
      for (const name of ["csrfmiddlewaretoken", "unit", "text", "caption"]) if (form[name]) sent.append(name, form[name].value);
      if (file) {
        progress.hidden = false;
        const tell = (part, waiting) => {
          progress.querySelector("progress").value = part * 100;
          progress.querySelector("span").textContent = waiting ? "Mất mạng, sẽ gửi tiếp…" : part < 1 ? `Đã gửi ${Math.round(part * 100)}%` : "Đang đọc tệp…";
        };
        sent.append("upload", await sendFile(file, { begin: form.dataset.begin, token: form.csrfmiddlewaretoken.value, tell }));
      }
      const answer = await fetch(location.pathname, { method: "POST", body: sent, headers: { Accept: "application/json" } });
      if (!answer.ok) throw await refusal(answer);
      try { if (text) localStorage.removeItem(key); } catch (error) { /* closed */ }
      location.assign((await answer.json()).url);
    } catch (error) {
      wrong.querySelector("span").textContent = error instanceof TypeError ? "Mất mạng. Chữ và tệp còn trên máy này; hãy thử lại khi có mạng." : error.message;
      wrong.hidden = false;
      wrong.scrollIntoView({ block: "center" });
      progress.hidden = true;
      button.disabled = false;
    }
  });
}

if (form) setUp();
