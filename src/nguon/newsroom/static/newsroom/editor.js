// The editor saves by itself. What is typed is kept in the browser first, so that a lost
// network, a closed page or a refused save loses no word.
"use strict";

const form = document.getElementById("editor");
const key = `nguon-draft-${form.dataset.uid}`;
const state = document.getElementById("saved");
const conflict = document.getElementById("conflict");
const PAUSE = 900;
const RETRY = 4000;
let timer = 0;
let running = null;
let kept = read();

function read() {
  const data = new FormData(form);
  return JSON.stringify({
    title: data.get("title").trim(),
    body: data.get("body").replace(/\r\n/g, "\n"),
    klass: data.get("klass"),
    field: data.get("field"),
    languages: data.getAll("languages"),
    expires_on: data.get("expires_on"),
  });
}

function tell(name, words, icon) {
  state.dataset.state = name;
  state.querySelector("use").setAttribute("href", `/static/web/icons.svg#${icon}`);
  state.querySelector("span").textContent = words;
}

const clock = (moment) => new Date(moment).toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });

function keepHere() {
  try {
    localStorage.setItem(key, JSON.stringify({ text: read(), revision: form.revision.value }));
  } catch (error) { /* a full or closed store: the network save still works */ }
}

function changed() {
  keepHere();
  tell("typing", "Đang viết…", "edit");
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

// Saves go one after another; whoever calls waits until what is on screen is kept.
function save() {
  clearTimeout(timer);
  running = (running || Promise.resolve()).then(send, send);
  return running;
}

async function send() {
  const text = read();
  if (text === kept) { tell("saved", state.dataset.words || state.textContent.trim(), "cloud-ok"); return true; }
  if (!conflict.hidden) return false;
  tell("saving", "Đang lưu…", "wait");
  let answer;
  try {
    answer = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { Accept: "application/json" },
    });
  } catch (error) {
    tell("offline", "Mất mạng, chữ được giữ trên máy này", "cloud-off");
    timer = setTimeout(save, RETRY);
    return false;
  }
  const facts = await answer.json().catch(() => ({}));
  if (answer.ok) {
    kept = text;
    form.revision.value = facts.revision;
    state.dataset.words = `Đã lưu ${clock(facts.saved_at)}`;
    tell("saved", state.dataset.words, "cloud-ok");
    if (read() === kept) localStorage.removeItem(key); else changed();
    return true;
  }
  if (answer.status === 409 && facts.code === "newsroom.draft_changed") { showConflict(facts.data); return false; }
  tell("refused", facts.message || "Chưa lưu được, chữ được giữ trên máy này", "alert");
  if (answer.status >= 500) timer = setTimeout(save, RETRY);
  return false;
}

function showConflict(data) {
  tell("refused", "Có người vừa sửa", "alert");
  conflict.querySelector("[data-conflict-by]").textContent = data.saved_by;
  for (const name of ["your", "kept"]) {
    conflict.querySelector(`[data-${name}-title]`).textContent = data[`${name}_title`];
    conflict.querySelector(`[data-${name}-body]`).textContent = data[`${name}_body`];
  }
  conflict.dataset.revision = data.revision;
  conflict.hidden = false;
  conflict.scrollIntoView({ block: "start" });
}

conflict.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-keep]");
  if (!choice) return;
  if (conflict.dataset.revision) form.revision.value = conflict.dataset.revision;
  conflict.hidden = true;
  if (choice.dataset.keep === "kept") {
    localStorage.removeItem(key);
    location.replace(form.action.replace(/luu\/$/, "viet/"));
    return;
  }
  kept = "";
  save();
});

function write(values) {
  form.title.value = values.title;
  form.body.value = values.body;
  form.field.value = values.field;
  form.expires_on.value = values.expires_on || "";
  for (const box of form.querySelectorAll("[name=klass][type=radio]")) box.checked = box.value === values.klass;
  for (const box of form.querySelectorAll("[name=languages]")) box.checked = values.languages.includes(box.value);
}

function restore() {
  let stored = null;
  try { stored = JSON.parse(localStorage.getItem(key)); } catch (error) { return; }
  if (!stored || stored.text === kept) { localStorage.removeItem(key); return; }
  write(JSON.parse(stored.text));
  form.revision.value = stored.revision;
  count();
  save();
}

function count() {
  for (const place of form.querySelectorAll("[data-count]")) {
    const box = form[place.dataset.count];
    const limit = Number(box.dataset.limit);
    const used = [...box.value].length;
    const over = used > limit;
    place.classList.toggle("over", over);
    const words = `${used.toLocaleString("vi-VN")} / ${limit.toLocaleString("vi-VN")} ký tự`;
    const seconds = Math.round(used / 14);
    place.textContent = over ? `${words}. Hãy rút ngắn.`
      : place.dataset.count === "body" && used ? `${words} · đọc khoảng ${seconds < 60 ? "" : `${Math.floor(seconds / 60)} phút `}${seconds % 60} giây` : words;
  }
}

form.addEventListener("input", (event) => { count(); if (!event.target.matches("[data-day]")) changed(); });
form.addEventListener("change", changed);
addEventListener("online", save);
addEventListener("pagehide", () => { if (read() !== kept) keepHere(); });

document.getElementById("hear").addEventListener("click", async (event) => {
  event.preventDefault();
  if (await save()) htmx.ajax("POST", form.dataset.hear, { target: "#sounds", swap: "outerHTML" });
});
document.getElementById("next").addEventListener("click", async (event) => {
  event.preventDefault();
  if (await save()) location.assign(form.action.replace(/luu\/$/, "phat/"));
});
// Enter in the title goes on to the text; it must not press the first button.
form.title.addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); form.body.focus(); }
});
form.addEventListener("submit", (event) => { event.preventDefault(); save(); });

count();
restore();
// What was typed before this script came, on a slow phone, is kept by nobody yet.
if ([form.title, form.body].some((box) => box.value !== box.defaultValue)) { kept = ""; changed(); }
