// A player with the picture of the sound; without scripts the browser's own controls stay.
"use strict";

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const setUp = (player) => {
  if (player.dataset.ready) return;
  player.dataset.ready = "1";
  const audio = player.querySelector("audio");
  const button = player.querySelector(".player-button");
  const wave = player.querySelector("[data-wave]");
  const clip = player.querySelector(".wave-clip");
  const time = player.querySelector("[data-time]");
  const length = Number(player.dataset.length) / 1000;
  const told = time.textContent;
  // What the page said before is what is said while it plays, whatever the browser measures.
  const whole = () => (length ? told : minutes(total()));
  const total = () => (Number.isFinite(audio.duration) && audio.duration) || length;
  audio.controls = false;
  audio.hidden = true;
  button.hidden = false;

  const draw = () => {
    const part = Math.min(1, audio.currentTime / total());
    clip.setAttribute("width", part * wave.viewBox.baseVal.width);
    time.textContent = audio.currentTime ? `${minutes(audio.currentTime)} / ${whole()}` : whole();
  };
  const tick = () => { draw(); if (!audio.paused) requestAnimationFrame(tick); };

  button.addEventListener("click", () => {
    if (!audio.paused) { audio.pause(); return; }
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    audio.play().catch(() => { time.textContent = "Không phát được"; });
  });
  audio.addEventListener("play", () => { player.classList.add("playing"); tick(); });
  audio.addEventListener("pause", () => player.classList.remove("playing"));
  audio.addEventListener("ended", () => {
    player.classList.remove("playing");
    player.dispatchEvent(new CustomEvent("nguon:heard", { bubbles: true }));
  });
  audio.addEventListener("timeupdate", draw);
  wave.addEventListener("click", (event) => {
    const box = wave.getBoundingClientRect();
    audio.currentTime = total() * (event.clientX - box.left) / box.width;
    draw();
  });
};

const setUpAll = () => document.querySelectorAll("[data-player]").forEach(setUp);
setUpAll();
document.addEventListener("htmx:afterSettle", setUpAll);
