// Writing: the preview follows the text, a toolbar inserts, and leaving with something unsaved is asked about.

const form = document.querySelector("[data-writing]");
const text = form?.querySelector("[data-preview]");
const shown = document.querySelector("[data-preview-of]");
const saved = document.querySelector("[data-saved]");
const PAUSE_MS = 600;

let waiting;
let latest = 0;

async function preview() {
  const mine = ++latest;
  const sent = new FormData();
  sent.set("csrf_token", form.elements.csrf_token.value);
  sent.set("content", text.value);
  sent.set("sop_id", text.dataset.sop);
  try {
    const answer = await fetch(text.dataset.preview, { method: "POST", body: sent });
    if (!answer.ok || mine !== latest) return;
    shown.innerHTML = (await answer.json()).html; // the server rendered and cleaned it, as it does for every page
  } catch {
    // offline: the preview stays as it was, and so does the text
  }
}

function insert(words) {
  const start = text.selectionStart;
  const lineStart = text.value.lastIndexOf("\n", start - 1) + 1;
  const at = /^(\d+\. |## |> |\|)/.test(words) ? lineStart : start;
  text.setRangeText(words, at, at, "end");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

// "saved 3 s ago" goes on counting while the page is open.
function tellAge() {
  const time = saved?.querySelector("time");
  if (!time) return;
  const seconds = Math.max(0, Math.round((Date.now() - new Date(time.dateTime)) / 1000));
  if (seconds < 3600) time.textContent = seconds < 60 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ago`;
}

function warn(event) {
  event.preventDefault();
}

if (form) {
  tellAge();
  setInterval(tellAge, 5000);
  form.addEventListener("input", () => {
    if (saved) saved.textContent = "not saved yet";
    window.addEventListener("beforeunload", warn);
  });
  form.addEventListener("submit", () => window.removeEventListener("beforeunload", warn));
}
if (text && shown) {
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(preview, PAUSE_MS);
  });
  for (const button of form.querySelectorAll("[data-insert]")) button.addEventListener("click", () => insert(button.dataset.insert));
}
