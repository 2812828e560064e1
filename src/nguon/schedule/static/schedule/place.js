// Choosing where: the whole place or parts of it, found by name with or without accents.
"use strict";

const place = document.getElementById("place");
const whole = place.querySelector("[data-whole]");
const filter = place.querySelector("[data-filter]");
const picked = document.getElementById("picked");
const fold = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "").trim();

place.addEventListener("change", (event) => {
  const box = event.target;
  if (box === whole && whole.checked) {
    for (const other of place.querySelectorAll("[name=units], [name=devices], [name=groups]")) if (other !== whole) other.checked = false;
  } else if (["units", "devices", "groups"].includes(box.name) && box.checked && box !== whole) {
    whole.checked = false;
  }
  // What was found and ticked stays ticked when the next search replaces the results.
  const found = box.closest("#found .choice");
  if (found && box.checked) {
    const same = picked.querySelector(`input[value="${box.value}"]`);
    if (same) { same.checked = true; found.remove(); } else picked.prepend(found);
  }
}, true);

filter.addEventListener("input", () => {
  const words = fold(filter.value).split(/\s+/).filter(Boolean);
  for (const choice of picked.querySelectorAll(".choice")) {
    const text = choice.dataset.words || fold(choice.textContent);
    choice.hidden = !words.every((word) => text.includes(word)) && !choice.querySelector("input").checked;
  }
});
filter.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
