// Live speech: opens the microphone, sends a piece four times a second, shows how it is.
"use strict";

const form = document.getElementById("speaking");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const panel = document.getElementById("on-air");
const begin = document.getElementById("begin");
const place = Object.fromEntries(["state", "level", "hint", "left", "hearers", "places", "end", "trouble", "insecure"].map((id) => [id, document.getElementById(id)]));

// At most so many pieces go in one message, after a hiccup of the line.
const TOGETHER = 10;
// The server ends a session that it has not heard of for three seconds.
const LOST_MS = 3000;
let session = null;

const show = (words, kind) => {
  place.state.textContent = words;
  place.state.className = `state state-${kind}`;
};

const complain = (words) => {
  place.trouble.hidden = !words;
  place.trouble.querySelector("span").textContent = words || "";
  if (words) place.trouble.scrollIntoView({ block: "nearest" });
};

const ask = async (url, options = {}) => {
  const headers = { Accept: "application/json", "X-CSRFToken": token, ...options.headers };
  const answer = await fetch(url, { credentials: "same-origin", ...options, headers });
  const facts = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (!answer.ok) throw Object.assign(new Error(facts.message || "Máy chủ không trả lời đúng. Hãy tải lại trang."), { answered: true, status: answer.status });
  return facts;
};

const openMicrophone = async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  // 16 kHz where the browser can; else the worklet makes it so.
  let context = null;
  let source = null;
  try {
    context = new AudioContext({ sampleRate: 16000 });
    source = context.createMediaStreamSource(stream);
  } catch {
    if (context) await context.close();
    context = new AudioContext();
    source = context.createMediaStreamSource(stream);
  }
  await context.audioWorklet.addModule(form.dataset.microphone);
  const node = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
  source.connect(node);
  await context.resume();
  return { stream, context, node };
};

const microphoneTrouble = (error) => {
  if (error.name === "NotAllowedError") return "Trình duyệt chưa cho dùng micrô. Hãy bấm vào ổ khóa cạnh địa chỉ, cho phép micrô rồi bấm lại.";
  if (error.name === "NotFoundError") return "Không thấy micrô nào. Hãy cắm micrô hoặc dùng điện thoại.";
  return "Không mở được micrô. Hãy đóng ứng dụng khác đang dùng micrô rồi thử lại.";
};

const start = async () => {
  complain("");
  if (![...form.querySelectorAll("[name=units], [name=devices], [name=groups]")].some((box) => box.checked)) {
    complain("Chưa chọn ai nghe. Hãy chọn ít nhất một nơi.");
    return;
  }
  begin.disabled = true;
  place.places.textContent = [...form.querySelectorAll("input[type=checkbox]:checked + svg + span, input[type=checkbox]:checked + span")].map((words) => words.firstChild.textContent.trim()).join(", ");
  place.hearers.textContent = "…";
  panel.hidden = false;
  form.hidden = true;
  show("Đang nối…", "wait");
  let microphone = null;
  try {
    microphone = await openMicrophone();
  } catch (error) {
    leave(microphoneTrouble(error));
    return;
  }
  try {
    const facts = await ask(form.action, { method: "POST", body: new FormData(form) });
    session = { ...facts, ...microphone, waiting: [], n: 0, over: false, heardAt: performance.now(), beganAt: performance.now() };
  } catch (error) {
    microphone.stream.getTracks().forEach((track) => track.stop());
    microphone.context.close();
    leave(error.message);
    return;
  }
  place.left.dataset.until = session.ends_at;
  show("Chuông báo đang phát, đợi một chút…", "wait");
  session.node.port.onmessage = (event) => take(event.data);
  session.stream.getAudioTracks()[0].addEventListener("ended", () => stop("Micrô đã bị ngắt."));
  navigator.wakeLock?.request("screen").then((lock) => { if (session) session.lock = lock; else lock.release(); }).catch(() => {});
  send();
  watch();
};

const take = (piece) => {
  if (!session || session.over) return;
  session.waiting.push(piece.samples);
  const level = piece.peak > 0 ? Math.max(0, Math.min(100, 100 + 2 * 20 * Math.log10(piece.peak))) : 0;
  place.level.value = level;
  session.quiet = level < 8 ? (session.quiet || 0) + 1 : 0;
  place.hint.textContent = session.quiet > 12 ? "Chưa nghe thấy tiếng bạn. Hãy nói gần micrô hơn." : level > 96 ? "Tiếng quá to, hãy nói xa micrô hơn." : "";
  session.wake?.();
};

const gather = () => {
  const pieces = session.waiting.splice(0, TOGETHER);
  const all = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) { all.set(piece, at); at += piece.length; }
  return all;
};

// One message after the other, so that pieces never overtake each other.
const send = async () => {
  const mine = session;
  while (!mine.over) {
    if (!mine.waiting.length) {
      await new Promise((resolve) => { mine.wake = resolve; setTimeout(resolve, 500); });
      continue;
    }
    const body = gather();
    mine.n += 1;
    while (!mine.over && !(await hand(mine, body))) await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

const hand = async (mine, body) => {
  try {
    await ask(`/noi-truc-tiep/${mine.uid}/am-thanh/?n=${mine.n}`, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" }, signal: AbortSignal.timeout(2500) });
    mine.heardAt = performance.now();
    if (!mine.over) {
      const isTone = performance.now() - mine.beganAt < mine.tone_ms + 300;
      show(isTone ? "Chuông báo đang phát, đợi một chút…" : "Đang phát. Mời bạn nói.", isTone ? "wait" : "on");
    }
    return true;
  } catch (error) {
    if (error.answered) { finish(error.message); return true; }
    show("Mất mạng. Đang nối lại…", "lost");
    if (performance.now() - mine.heardAt > LOST_MS) finish("Mất mạng quá 3 giây nên phiên nói đã kết thúc. Hãy kiểm tra mạng rồi bấm Bắt đầu nói.");
    return false;
  }
};

const watch = async () => {
  const mine = session;
  while (!mine.over) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    if (mine.over) return;
    try {
      const facts = await ask(`/noi-truc-tiep/${mine.uid}/`);
      place.hearers.textContent = `${facts.sounding} trên ${facts.targeted} đang phát`;
      if (facts.ended_at) finish(`Phiên nói đã kết thúc: ${facts.why}.`);
    } catch {
      // The sending side says when the line is lost.
    }
  }
};

const stop = async (words) => {
  const mine = session;
  if (!mine || mine.over) return;
  finish(words);
  try {
    await ask(`/noi-truc-tiep/${mine.uid}/dung/`, { method: "POST", keepalive: true });
  } catch {
    complain("Chưa báo được máy chủ. Loa tự im sau 3 giây.");
  }
};

const finish = (words) => {
  const mine = session;
  if (!mine || mine.over) return;
  mine.over = true;
  mine.wake?.();
  mine.stream.getTracks().forEach((track) => track.stop());
  mine.context.close();
  mine.lock?.release();
  delete place.left.dataset.until;
  session = null;
  leave(words);
};

const leave = (words) => {
  panel.hidden = true;
  form.hidden = false;
  begin.disabled = false;
  complain(words);
};

form.addEventListener("submit", (event) => { event.preventDefault(); event.stopImmediatePropagation(); start(); }, true);
place.end.addEventListener("click", () => stop(""));
addEventListener("pagehide", () => { if (session) stop(""); });

// The whole place, or parts of it: never both.
form.addEventListener("change", (event) => {
  const box = event.target;
  if (box.type !== "checkbox" || !box.checked) return;
  const isWhole = "whole" in box.dataset;
  for (const other of form.querySelectorAll("input[type=checkbox]")) if (other !== box && (isWhole || "whole" in other.dataset)) other.checked = false;
});

if (!window.isSecureContext || !navigator.mediaDevices) {
  place.insecure.hidden = false;
  begin.disabled = true;
}
// A session that a closed window left open is ended first.
if (form.dataset.open) ask(`/noi-truc-tiep/${form.dataset.open}/dung/`, { method: "POST" }).catch(() => {});
