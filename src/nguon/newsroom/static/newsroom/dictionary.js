// Lets a person hear a word before it is kept. Without scripts it is heard after.
const button = document.querySelector("#hear-word");
const place = document.querySelector("#word-sound");
if (button && place) {
  const spoken = document.querySelector("#spoken");
  const sound = place.querySelector("audio");
  button.hidden = false;
  button.addEventListener("click", () => {
    const said = spoken.value.trim();
    if (!said) {
      spoken.focus();
      return;
    }
    sound.src = `${place.dataset.hear}&doc=${encodeURIComponent(said)}`;
    place.hidden = false;
    sound.play().catch(() => sound.focus());
  });
}
