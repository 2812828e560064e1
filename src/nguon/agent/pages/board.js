// Fetches the page again and puts the new screen in the place of the old one.
// When the agent does not answer, the last valid screen stays.
"use strict";

async function renew() {
  try {
    const answer = await fetch("/", { cache: "no-store" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("board");
      const shown = document.getElementById("board");
      if (fresh && fresh.outerHTML !== shown.outerHTML) {
        shown.replaceWith(fresh);
      }
    }
  } catch (error) {
    // The agent is away: keep what stands.
  }
  setTimeout(renew, 2000);
}

setTimeout(renew, 2000);
