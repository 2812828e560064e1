// Shows what the server pushes, also when no page is open; a tap opens the page it names.
// It fetches and keeps nothing else: pages always come from the server.
"use strict";

const HERE = "/tai-khoan/bao/";
const ICON = "/static/web/icon-192.png";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("push", (event) => {
  let words = {};
  try { words = event.data.json(); } catch (error) { /* shown all the same: never a silent push */ }
  event.waitUntil(registration.showNotification(words.title || "Có việc chờ bạn", {
    body: words.urgent ? "KHẨN. Bấm để mở." : "Bấm để mở.",
    tag: words.tag || "nguon",
    renotify: true,
    requireInteraction: Boolean(words.urgent),
    vibrate: words.urgent ? [400, 200, 400, 200, 400] : [200],
    icon: ICON,
    lang: "vi",
    data: { url: words.url || "/thong-bao/" },
  }));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const page = new URL(event.notification.data.url, location.origin);
  if (page.origin !== location.origin) return;
  event.waitUntil((async () => {
    for (const open of await clients.matchAll({ type: "window" })) {
      if (open.url === page.href) return open.focus();
    }
    return clients.openWindow(page.href);
  })());
});

// The browser changed its address: only a signed-in person can tell us the new one.
addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(registration.showNotification("Báo trên máy này vừa bị ngắt", {
    body: "Bấm để bật lại.", tag: "nguon-lost", icon: ICON, lang: "vi", data: { url: HERE },
  }));
});
