// Keeps the pages of jobs at poles, so that they open without signal. Network first:
// what is kept is shown only when there is none. Signed out, nothing stays.
const CACHE = "nguon-lap-dat";
const PAGE = /^\/thiet-bi\/([a-z2-7]{12}\/)?lap-dat\/$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function fetchOrKept(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.redirected) await caches.delete(CACHE);
    else if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request, { ignoreVary: true, ignoreSearch: request.mode === "navigate" });
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const isPage = request.mode === "navigate" && PAGE.test(url.pathname);
  if (isPage || url.pathname.startsWith("/static/")) event.respondWith(fetchOrKept(request));
});
