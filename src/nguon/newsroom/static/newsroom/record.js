// Records a voice: level in sight, cut at both ends, taken again as often as wanted, and
// sent in pieces that survive a lost network. Without it the form below takes a file.
"use strict";

import { sendFile } from "./upload.js";

const box = document.getElementById("recorder");
const part = (name) => document.getElementById(`rec-${name}`);
const LONGEST = Number(box.dataset.limit);
const QUIET = 8;
const LOUD = 92;
// A recorder that has given nothing for so long is begun anew: a busy phone loses one.
const MUTE_SECONDS = 3;
let recorder = null;
let pieces = [];
let taken = null;
let seconds = 0;
let began = 0;

const words = (value) => `${Number(value).toLocaleString("vi-VN", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} giây`;
const clock = (value) => `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;

function wrong(text) {
  part("error").querySelector("span").textContent = text;
  part("error").hidden = !text;
}

async function start() {
  wrong("");
  // Nothing of an earlier take stands there while the microphone opens, neither its length nor its words.
  part("level").value = 0;
  part("hint").textContent = "Đang mở micro…";
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, autoGainControl: true } });
  } catch (error) {
    wrong("Không mở được micro. Hãy cho phép trang này dùng micro, hoặc gửi tệp ghi âm ở dưới.");
    return;
  }
  part("start").hidden = true;
  part("review").hidden = true;
  part("stop").hidden = part("live").hidden = false;
  record(stream);
  watch(stream);
}

function record(stream) {
  const kind = ["audio/webm;codecs=opus", "audio/mp4"].find((one) => MediaRecorder.isTypeSupported(one));
  const mine = new MediaRecorder(stream, kind ? { mimeType: kind, audioBitsPerSecond: 48000 } : {});
  const kept = [];
  mine.addEventListener("dataavailable", (event) => { if (event.data.size) kept.push(event.data); });
  mine.addEventListener("stop", () => {
    if (mine !== recorder) return;
    stream.getTracks().forEach((track) => track.stop());
    review();
  });
  recorder = mine;
  pieces = kept;
  seconds = 0;
  began = performance.now();
  mine.start(1000);
}

function watch(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const tick = () => {
    if (recorder.state !== "recording") { context.close(); return; }
    analyser.getFloatTimeDomainData(samples);
    const level = Math.min(100, Math.round(Math.max(...samples.map(Math.abs)) * 100));
    seconds = (performance.now() - began) / 1000;
    part("level").value = level;
    if (!pieces.length) {
      part("hint").textContent = "Đang mở micro…";
      if (seconds > MUTE_SECONDS) {
        const mute = recorder;
        record(stream);
        mute.stop();
      }
      setTimeout(tick, 150);
      return;
    }
    const hint = level < QUIET ? "Tiếng nhỏ, hãy nói gần micro hơn." : level > LOUD ? "Tiếng quá lớn, hãy lùi ra một chút." : "Tiếng vừa.";
    part("hint").textContent = `Đang ghi ${clock(seconds)}. ${hint}`;
    if (seconds >= LONGEST) { recorder.stop(); return; }
    setTimeout(tick, 150);
  };
  tick();
}

function review() {
  taken = new Blob(pieces, { type: recorder.mimeType });
  part("stop").hidden = part("live").hidden = true;
  part("start").hidden = false;
  if (!taken.size) { wrong("Chưa ghi được tiếng nào. Hãy bấm ghi lại và nói."); return; }
  part("audio").src = URL.createObjectURL(taken);
  for (const name of ["from", "to"]) part(name).max = seconds.toFixed(1);
  part("from").value = 0;
  part("to").value = seconds.toFixed(1);
  showCut();
  part("review").hidden = false;
  part("start").lastChild.textContent = "Ghi lại";
  part("start").classList.remove("btn-primary");
}

function showCut() {
  part("from-words").textContent = words(part("from").value);
  part("to-words").textContent = words(part("to").value);
}

async function use() {
  const from = Number(part("from").value);
  const to = Number(part("to").value);
  if (to - from < 0.5) { wrong("Phần giữ lại quá ngắn. Hãy kéo lại hai đầu."); return; }
  part("use").disabled = true;
  wrong("");
  const token = document.querySelector("#editor [name=csrfmiddlewaretoken]").value;
  try {
    const tell = (share, waiting) => { part("progress").textContent = waiting ? "Mất mạng, sẽ gửi tiếp…" : share < 1 ? `Đã gửi ${Math.round(share * 100)}%` : "Đang chỉnh âm lượng…"; };
    const sent = new FormData();
    sent.append("csrfmiddlewaretoken", token);
    sent.append("language", document.getElementById("voice-language").value);
    sent.append("upload", await sendFile(taken, { begin: box.dataset.begin, token, tell }));
    if (from > 0) sent.append("from_ms", String(Math.round(from * 1000)));
    if (to < seconds - 0.15) sent.append("to_ms", String(Math.round(to * 1000)));
    const answer = await fetch(box.dataset.send, { method: "POST", body: sent, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message || "Chưa nhận được bản ghi. Hãy thử lại.");
    location.hash = "nghe";
    location.reload();
  } catch (error) {
    wrong(error instanceof TypeError ? "Mất mạng. Bản ghi còn trên máy này; hãy thử lại khi có mạng." : error.message);
    part("use").disabled = false;
  }
}

if (box && navigator.mediaDevices && window.MediaRecorder) {
  box.hidden = false;
  part("start").addEventListener("click", start);
  part("stop").addEventListener("click", () => recorder.stop());
  part("from").addEventListener("input", showCut);
  part("to").addEventListener("input", showCut);
  part("use").addEventListener("click", use);
}
