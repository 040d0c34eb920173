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

function showLocalTimes() {
  const long = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short" });
  const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    if (time.title) time.title = `${long.format(at)} (${zone}) · ${time.title}`;
    if (time.hasAttribute("data-clock")) time.textContent = short.format(at);
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
  if (event.target.matches("[data-sign-out]")) forgetTicks();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});
for (const added of document.querySelectorAll("[data-needs-script]")) added.hidden = false;
showLocalTimes();
addCodeCopy();
