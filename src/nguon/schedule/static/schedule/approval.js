// A kindness: who has not heard the sound to its end is asked once before approving.
"use strict";

const players = document.querySelectorAll("[data-player]");
const heard = new Set();
const unheard = document.getElementById("unheard");
document.addEventListener("nguon:heard", (event) => { heard.add(event.target); if (unheard) unheard.hidden = true; });

for (const form of document.querySelectorAll("[data-release]")) {
  form.addEventListener("submit", (event) => {
    if (heard.size >= players.length || !unheard.hidden) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    unheard.hidden = false;
    unheard.scrollIntoView({ block: "center" });
  });
}

// The last button must not lie under the bar at the foot of a phone.
for (const look of document.querySelectorAll(".second-look")) {
  look.addEventListener("toggle", () => { if (look.open) look.scrollIntoView({ block: "center" }); });
}
