// Every page: "/" finds, menus close, times in the reader's own zone, copying. All of it is an addition.

function typing(target) {
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
}

function say(words) {
  const status = document.getElementById("said");
  if (status) status.textContent = words;
}

function focusSearchOnSlash(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const field = document.querySelector("[data-slash]");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

function closeMenusOnEscape(event) {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

const shortTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

// September as the server writes it.
function clocked(at) {
  return shortTime.format(at).replace("Sept", "Sep");
}

function showLocalTimes() {
  const long = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short" });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    if (time.title) time.title = `${long.format(at)} (${zone}) · ${time.title}`;
    if (time.hasAttribute("data-clock")) time.textContent = clocked(at);
  }
}

async function copy(button) {
  const from = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  const words = from ? from.innerText : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(words);
    button.dataset.label ??= button.textContent;
    button.textContent = "Copied";
    say("Copied");
    setTimeout(() => (button.textContent = button.dataset.label), 2000);
  } catch {
    say("The browser did not allow copying. Select the text instead.");
  }
}

function addCodeCopy() {
  if (!navigator.clipboard) return;
  document.querySelectorAll(".sop-text:not(.redline) pre").forEach((block, index) => {
    const code = block.querySelector("code") ?? block;
    code.id ||= `code-${index + 1}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small code-copy";
    button.dataset.copyFrom = code.id;
    button.textContent = "Copy";
    block.append(button);
  });
}

// The bell says on every page how many things wait; the server is asked once a minute, and again after each form.
const BELL = "bell:";
const BELL_KEPT_MS = 60 * 1000;

function rememberedCount(key) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key));
    return kept && Date.now() - kept.at < BELL_KEPT_MS ? kept.count : null;
  } catch {
    return null;
  }
}

function rememberCount(key, count) {
  try {
    sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), count }));
  } catch {
    // storage is switched off: the next page asks again
  }
}

function forgetCounts() {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(BELL)) sessionStorage.removeItem(key);
  } catch {
    // storage is switched off: nothing was kept
  }
}

async function askCount(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).count : null;
  } catch {
    return null; // offline: the bell stays silent
  }
}

async function ring(bell) {
  const key = BELL + bell.dataset.person;
  const known = bell.dataset.count === undefined ? rememberedCount(key) : Number(bell.dataset.count);
  const count = known ?? (await askCount(bell.dataset.bell));
  if (count === null) return;
  if (known === null || bell.dataset.count !== undefined) rememberCount(key, count);
  const words = count === 0 ? "Nothing needs you" : count === 1 ? "1 thing needs you" : `${count} things need you`;
  bell.setAttribute("aria-label", words);
  bell.title = words;
  const figure = bell.querySelector(".count");
  figure.textContent = count < 100 ? count : "99+";
  figure.hidden = count === 0;
}

// The next person at a shared machine does not find the steps that the last one ticked off (see sop.js).
function forgetTicks() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith("steps:")) localStorage.removeItem(key);
  } catch {
    // storage is switched off: nothing was kept
  }
}

document.addEventListener("keydown", focusSearchOnSlash);
document.addEventListener("keydown", closeMenusOnEscape);
document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details.menu"));
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (button) copy(button);
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("submit", (event) => {
  if (event.target.method === "post") forgetCounts();
  if (event.target.matches("[data-sign-out]")) forgetTicks();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});
window.addEventListener("beforeprint", () => {
  for (const place of document.querySelectorAll("[data-printed]")) place.textContent = ` ${clocked(new Date())}`;
});
for (const added of document.querySelectorAll("[data-needs-script]")) added.hidden = false;
showLocalTimes();
addCodeCopy();
document.querySelectorAll("[data-bell]").forEach(ring);
