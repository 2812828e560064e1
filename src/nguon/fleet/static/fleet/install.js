// A job at a pole, kept on this phone until the server has it. Each change is written
// into IndexedDB at once; each sending carries the same id, so twice is once.
const form = document.getElementById("job");
const device = form.dataset.device;
const sent = document.getElementById("sent");
const said = document.getElementById("tone-said");
const toneButton = document.getElementById("tone");
const heardButton = document.getElementById("heard");
const FIELDS = ["power", "network", "line", "amplifier", "microphone", "clock", "lat", "lon", "accuracy_m", "notes"];
const RETRY_MS = 15000, LOOK_MS = 2000, LOOKS = 20;
let job, sending = false, again = false;

// --- the store -------------------------------------------------------------------------

function ask(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("nguon-lap-dat", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("jobs", { keyPath: "device" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const turn = opening.result.transaction("jobs", mode);
      const request = work(turn.objectStore("jobs"));
      turn.oncomplete = () => { opening.result.close(); resolve(request.result); };
      turn.onerror = () => { opening.result.close(); reject(turn.error); };
    };
  });
}
const keep = (one) => ask("readwrite", (store) => store.put(one));
const all = () => ask("readonly", (store) => store.getAll());

// --- the form --------------------------------------------------------------------------

function read() {
  const data = new FormData(form);
  job.fields = Object.fromEntries(FIELDS.map((name) => [name, data.get(name) || ""]));
  job.villages = data.getAll("village");
}

function fill() {
  for (const [name, value] of Object.entries(job.fields)) {
    for (const input of form.querySelectorAll(`[name="${name}"]`)) {
      if (input.type === "radio") input.checked = input.value === value;
      else input.value = value;
    }
  }
  for (const box of form.querySelectorAll("[name=village]")) box.checked = job.villages.includes(box.value);
  const kept = document.getElementById("kept-photos");
  kept.hidden = !job.photos.length;
  kept.textContent = `Đã giữ ${job.photos.length} ảnh trên máy này.`;
}

function show() {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(job.started_at)) / 60000));
  document.getElementById("clock").textContent = `đã ${minutes} phút`;
  const waits = job.revision > job.sent;
  sent.hidden = !job.revision;
  sent.className = `badge ${waits ? "badge-wait" : "badge-good"}`;
  sent.textContent = waits ? (job.problem || "Chưa gửi, giữ trên máy này") : `Đã gửi ${job.sent_text}`;
}

async function changed() {
  read();
  job.revision += 1;
  job.problem = "";
  await keep(job);
  show();
}

// --- sending ---------------------------------------------------------------------------

function cookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : form.csrfmiddlewaretoken.value;
}

async function post(url, body) {
  const answer = await fetch(url, {
    method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": cookie("csrftoken") },
  });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok && told.client) return told;
  const error = new Error(answer.status === 401 ? "Hãy đăng nhập lại để gửi" : told.message || "Máy chủ không nhận");
  error.told = true;
  throw error;
}

function body(one) {
  const data = new FormData();
  for (const [name, value] of Object.entries(one.fields)) if (value) data.append(name, value);
  for (const key of one.villages) data.append("village", key);
  for (const photo of one.photos) data.append("photo", photo, "anh.jpg");
  data.append("villages_shown", "1");
  for (const name of ["client", "started_at", "heard_at", "ended_at"]) if (one[name]) data.append(name, one[name]);
  data.append("revision", one.revision);
  data.append("sent_at", new Date().toISOString());
  return data;
}

async function send(one) {
  const revision = one.revision;
  const told = await post(`/thiet-bi/${one.device}/lap-dat/`, body(one));
  const fresh = one.device === device ? job : one;
  fresh.sent = Math.max(fresh.sent, revision);
  fresh.problem = "";
  fresh.sent_text = new Date().toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", hour12: false });
  fresh.finished = Boolean(told.finished_at);
  await keep(fresh);
  return told;
}

// Sends all that waits, this job first; what cannot be sent now is tried again.
async function sendAll() {
  if (sending) { again = true; return null; }
  sending = true;
  let mine = null;
  try {
    const others = (await all()).filter((one) => one.device !== device);
    for (const one of [job, ...others]) {
      if (one.revision <= one.sent) continue;
      try {
        const told = await send(one);
        if (one === job) mine = told;
      } catch (error) {
        one.problem = error.told ? `Chưa gửi: ${error.message}` : "";
        await keep(one);
      }
    }
  } finally {
    sending = false;
  }
  show();
  await showOthers();
  if (again) { again = false; return sendAll(); }
  return mine;
}

async function showOthers() {
  const others = (await all()).filter((one) => one.device !== device && one.revision > one.sent);
  document.getElementById("others").hidden = !others.length;
  document.getElementById("other-jobs").replaceChildren(...others.map((one) => {
    const item = document.createElement("li"), link = document.createElement("a");
    link.className = "row";
    link.href = `/thiet-bi/${one.device}/lap-dat/`;
    link.textContent = `${one.name}: ${one.problem || "chưa gửi"}`;
    item.append(link);
    return item;
  }));
}

// --- the tone --------------------------------------------------------------------------

function say(look, words) {
  said.className = `banner banner-${look}`;
  said.querySelector("span").textContent = words;
}

function showSigns(signs) {
  for (const sign of signs || []) {
    const line = form.querySelector(`[data-step="${sign.step}"] .check-said`);
    if (line) { line.textContent = sign.words; line.className = `check-said look-${sign.look}`; }
  }
}

async function look() {
  const answer = await fetch(`${form.dataset.look}?client=${job.client}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("no answer");
  const told = await answer.json();
  showSigns(told.signs);
  return told;
}

async function sound() {
  toneButton.disabled = true;
  say("wait", "Đang gửi lệnh kêu thử…");
  try {
    const data = new FormData();
    data.append("client", job.client);
    await post(form.dataset.tone, data);
    job.heard_at = "";
    await keep(job);
    heardButton.disabled = false;
    for (let count = 0; count < LOOKS; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const told = await look();
      if (told.grade) { say("good", `Máy báo: ${told.proof}. Bạn có nghe thấy không?`); break; }
      if (told.refused) { say("stop", told.refused); break; }
      say("wait", count < LOOKS - 1 ? "Đang chờ máy báo về…" : "Máy chưa báo có tiếng. Xem lại tăng âm, dây loa, micrô rồi thử lại.");
    }
  } catch (error) {
    say("stop", error.told ? error.message : "Chưa có sóng nên chưa kêu thử được. Việc đã làm vẫn được giữ; hãy thử lại khi có sóng.");
  } finally {
    toneButton.disabled = false;
  }
}

async function heard() {
  job.heard_at = job.ended_at = new Date().toISOString();
  await changed();
  const told = await sendAll();
  if (told && told.finished_at) location.assign(told.protocol);
  else if (told) say("wait", "Đã ghi lời bạn. Máy chưa có bằng chứng kêu; hãy cho kêu thử lại.");
}

// --- at the start ----------------------------------------------------------------------

function begin() {
  job = {
    device, name: document.querySelector("h1").textContent, client: form.client.value,
    started_at: form.started_at.value, heard_at: "", ended_at: "", revision: Number(form.revision.value) - 1,
    sent: Number(form.revision.value) - 1, sent_text: "", photos: [], fields: {}, villages: [], problem: "", finished: false,
  };
  // The page may be an old copy: a fresh job gets an id and a beginning of its own.
  if (!navigator.onLine) Object.assign(job, { client: crypto.randomUUID(), started_at: new Date().toISOString(), revision: 0, sent: 0 });
  read();
}

async function start() {
  const kept = (await all()).find((one) => one.device === device && !one.finished);
  if (kept) { job = kept; fill(); } else begin();
  show();
  form.addEventListener("change", async (event) => {
    if (event.target.id === "photo") {
      job.photos = [...event.target.files].slice(0, 4);
      fill();
    }
    changed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter === toneButton) sound();
    else if (event.submitter === heardButton) heard();
    else changed().then(sendAll);
  });
  if (navigator.geolocation) {
    const locate = document.getElementById("locate");
    locate.hidden = false;
    locate.addEventListener("click", () => navigator.geolocation.getCurrentPosition((found) => {
      form.lat.value = found.coords.latitude.toFixed(6);
      form.lon.value = found.coords.longitude.toFixed(6);
      form.accuracy_m.value = Math.round(found.coords.accuracy);
      changed();
    }, () => { locate.textContent = "Không lấy được vị trí; hãy gõ vào"; }, { enableHighAccuracy: true, timeout: 20000 }));
  }
  addEventListener("online", sendAll);
  setInterval(() => { show(); if (navigator.onLine) sendAll(); }, RETRY_MS);
  await showOthers();
  if (navigator.onLine) sendAll();
  if ("serviceWorker" in navigator) {
    await navigator.serviceWorker.register(form.dataset.worker, { scope: "/thiet-bi/" });
    await navigator.serviceWorker.ready;
    const parts = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon], script[src], use")];
    const urls = parts.map((part) => (part.href && part.href.baseVal) || part.href || part.src).map((url) => url.split("#")[0]);
    const cache = await caches.open("nguon-lap-dat");
    if (navigator.onLine) await cache.addAll([...new Set([location.pathname, ...urls])]);
    document.documentElement.dataset.kept = "yes";
  }
}

start();
