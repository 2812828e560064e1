// The frame's own behaviour: toasts that close, a menu that closes, the offline note.
"use strict";

document.addEventListener("click", (event) => {
  const close = event.target.closest(".toast-close");
  if (close) close.closest(".toast").remove();
  for (const menu of document.querySelectorAll("details.account[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A success note leaves by itself, but not while it is pointed at or has the focus; an error
// stays until it is read and closed.
const fade = (toast) => {
  if (toast.classList.contains("toast-error")) return;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 2000);
    else toast.remove();
  };
  setTimeout(leave, 5000);
};
document.querySelectorAll(".toast").forEach(fade);
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.classList) fade(node);
}).observe(document.getElementById("toasts"), { childList: true });

const offline = document.getElementById("offline");
const tell = () => { offline.hidden = navigator.onLine; };
addEventListener("online", tell);
addEventListener("offline", tell);
tell();

// A form is sent once: a second tap while it is on its way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  addEventListener("pageshow", () => { delete form.dataset.sent; }, { once: true });
});

// Filters act when they are chosen; without scripts the button does it. What is typed
// in several fields has a button of its own, and a choice may only open those.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (!form || event.target.closest("[data-typed]")) return;
  const typed = document.getElementById(event.target.selectedOptions?.[0]?.dataset.opens);
  if (!typed) { form.requestSubmit(); return; }
  typed.open = true;
  typed.querySelector("input").focus();
});

// A day is typed; the calendar beside it helps to find it. Its own field has no name and
// tells nobody: what counts is what stands in the text, 22/11/2026.
for (const button of document.querySelectorAll("[data-calendar]")) {
  const field = document.getElementById(button.dataset.calendar);
  const calendar = document.createElement("input");
  if (!calendar.showPicker) continue;
  calendar.type = "date";
  calendar.tabIndex = -1;
  calendar.setAttribute("aria-hidden", "true");
  button.after(calendar);
  button.hidden = false;
  button.addEventListener("click", () => {
    const typed = /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(field.value.trim());
    calendar.value = typed ? `${typed[3]}-${typed[2]}-${typed[1]}` : "";
    calendar.showPicker();
  });
  calendar.addEventListener("input", (event) => event.stopPropagation());
  calendar.addEventListener("change", (event) => {
    event.stopPropagation();
    if (!calendar.value) return;
    field.value = calendar.value.split("-").reverse().join("/");
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// Counts down to a moment: <time data-until="2026-11-24T10:00:00Z">.
const pad = (n) => String(n).padStart(2, "0");
const count = () => {
  for (const place of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.round((new Date(place.dataset.until) - Date.now()) / 1000));
    const hours = Math.floor(left / 3600);
    place.textContent = `${hours ? hours + ":" : ""}${pad(Math.floor(left / 60) % 60)}:${pad(left % 60)}`;
  }
};
count();
setInterval(count, 1000);
