// Switches notices on this browser on and off, and says plainly when it cannot.
"use strict";

const place = document.getElementById("here");
const form = document.getElementById("switch-on");
const show = (name, text = "") => {
  for (const state of place.querySelectorAll("[data-state]")) state.hidden = state.dataset.state !== name;
  if (text) place.querySelector(`[data-state="${name}"] [data-why]`).textContent = text;
};

// base64url of bytes, and back.
const write = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const read = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

function obstacle() {
  if (!isSecureContext) return "Trang này không mở qua https nên trình duyệt không cho báo. Hãy mở đúng địa chỉ https:// của hệ thống.";
  // An iPad calls itself a Mac, but is touched with several fingers.
  const apple = /iPhone|iPad/.test(navigator.userAgent)
    || (/Mac OS/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
  if (apple && !navigator.standalone) return "Trên iPhone, iPad: bấm nút Chia sẻ, chọn “Thêm vào màn hình chính”, rồi mở Nguồn từ biểu tượng vừa thêm và vào lại trang này.";
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return "Trình duyệt này không nhận báo được. Hãy dùng Chrome, Firefox, Edge hoặc Safari bản mới, không ở chế độ ẩn danh.";
  return "";
}

const blocked = "Bạn đã chặn báo của trang này. Bấm biểu tượng bên trái địa chỉ trang, cho phép Thông báo, rồi tải lại trang.";

function mine(subscription) {
  const rows = [...document.querySelectorAll("[data-endpoint]")];
  return rows.find((row) => row.dataset.endpoint === subscription.endpoint);
}

async function look() {
  const why = obstacle();
  if (why) return show("cannot", why);
  const worker = await navigator.serviceWorker.register("/bao.js", { scope: "/" });
  if (Notification.permission === "denied") return show("cannot", blocked);
  const subscription = await worker.pushManager.getSubscription();
  const row = subscription && mine(subscription);
  if (!row || Notification.permission !== "granted") return show("off");
  row.querySelector("[data-this]").hidden = false;
  place.querySelector("[data-try]").setAttribute("form", `try-${row.dataset.id}`);
  place.querySelector("[data-off]").setAttribute("form", `remove-${row.dataset.id}`);
  return show("on");
}

async function switchOn() {
  show("busy");
  if (await Notification.requestPermission() !== "granted") {
    return show(Notification.permission === "denied" ? "cannot" : "off", Notification.permission === "denied" ? blocked : "");
  }
  const worker = await navigator.serviceWorker.ready;
  const key = read(place.dataset.key);
  // A subscription the server does not know, or of another server's key, is made anew.
  const old = await worker.pushManager.getSubscription();
  if (old && !mine(old)) await old.unsubscribe();
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  form.endpoint.value = made.endpoint;
  form.public_key.value = write(made.getKey("p256dh"));
  form.secret.value = write(made.getKey("auth"));
  form.submit();
  return undefined;
}

const failed = () => show("cannot", "Trình duyệt không đăng ký được với máy chủ báo của hãng. Hãy kiểm tra mạng, tải lại trang và bật lại.");

if (place.dataset.key) {
  place.querySelector("[data-on]").addEventListener("click", () => switchOn().catch(failed));
  // What this browser takes off the list, it also stops taking.
  document.addEventListener("submit", (event) => {
    const row = event.target.closest("[data-endpoint]");
    if (!row || !event.target.id.startsWith("remove-")) return;
    navigator.serviceWorker.ready
      .then((worker) => worker.pushManager.getSubscription())
      .then((held) => held && held.endpoint === row.dataset.endpoint && held.unsubscribe());
  });
  look().catch(failed);
}
