// One question at a time in large type. Each answer is kept on this phone before it is
// sent; what did not arrive is sent again, under the same key, so that twice is once.
// Without this file the page is one long form that works as well.
const form = document.getElementById("asking");
if (form) begin(form);

function begin(form) {
  const steps = [...form.querySelectorAll("fieldset[data-step]")];
  const review = document.getElementById("review");
  const back = document.getElementById("back");
  const submit = form.querySelector("[type=submit]");
  const waiting = document.getElementById("waiting");
  const count = document.getElementById("count");
  const store = `nguon-hoi-nghe-${form.dataset.code}`;
  let met = Number(count.dataset.met), sending = false, at = 0, refused = "";

  // --- what is kept on this phone ---------------------------------------------------
  function load() {
    try { return JSON.parse(localStorage.getItem(store)) || []; } catch { return []; }
  }
  function save(queue) {
    try { localStorage.setItem(store, JSON.stringify(queue)); return true; } catch { return false; }
  }
  function fresh() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // --- one question at a time ---------------------------------------------------------
  function value(name) { return new FormData(form).get(name); }
  function wanted() {
    return steps.filter((step) => {
      const name = step.dataset.step;
      if (name === "met") return true;
      if (value("met") !== "co") return false;
      return name === "heard" || value("heard") === "co";
    });
  }
  function show() {
    const list = wanted();
    const done = at >= list.length;
    for (const step of steps) step.hidden = done || step !== list[at];
    review.hidden = submit.hidden = !done;
    back.hidden = at === 0;
    if (done) {
      review.querySelector("dl").replaceChildren(...list.flatMap((step) => {
        const term = document.createElement("dt"), told = document.createElement("dd");
        term.textContent = step.querySelector("legend").textContent;
        told.textContent = step.querySelector("input:checked").parentElement.textContent;
        return [term, told];
      }));
    }
  }
  function restart() {
    form.reset();
    for (const input of form.querySelectorAll("input[type=radio]")) input.checked = false;
    form.elements.key.value = fresh();
    at = 0;
    show();
  }
  form.addEventListener("click", (event) => {
    if (!event.target.matches("input[type=radio]")) return;
    at = wanted().findIndex((step) => step.dataset.step === event.target.name) + 1;
    show();
  });
  back.addEventListener("click", () => { at -= 1; show(); });

  // --- sending ----------------------------------------------------------------------
  function tell() {
    const queue = load();
    count.firstElementChild.textContent = `${met}/${count.dataset.ask}`;
    waiting.hidden = !queue.length && !refused;
    waiting.lastElementChild.textContent = refused
      || `${queue.length} câu trả lời đang giữ trên máy này, tự gửi khi có mạng. Đừng xóa trình duyệt.`;
  }
  async function post(one) {
    const body = new FormData(form);
    for (const step of steps) body.delete(step.dataset.step);
    for (const [name, text] of Object.entries(one)) body.set(name, text);
    return fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  }
  async function flush() {
    if (sending) return;
    sending = true;
    try {
      for (let queue = load(); queue.length; queue = load()) {
        const answer = await post(queue[0]);
        if (answer.status === 429 || answer.status >= 500) break;
        const told = await answer.json();
        if (answer.ok) met = told.met; else if (told.code === "web.too_many") break; else refused = told.message;
        save(load().filter((one) => one.key !== queue[0].key));
      }
    } catch { /* no network: kept, tried again */ } finally {
      sending = false;
      tell();
    }
  }
  form.addEventListener("submit", (event) => {
    const one = { key: form.elements.key.value };
    for (const step of wanted()) one[step.dataset.step] = value(step.dataset.step);
    // A phone that keeps nothing sends the form as it stands.
    if (!save([...load(), one])) return;
    event.preventDefault();
    refused = "";
    restart();
    tell();
    flush();
  });
  addEventListener("online", flush);
  setInterval(() => { if (load().length) flush(); }, 1000 * Number(form.dataset.seconds));
  if (!form.querySelector("input[type=radio]:checked:not([name=met])")) restart(); else show();
  tell();
  flush();
}
