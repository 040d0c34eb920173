// The SOP page: steps that can be ticked off, and the outline that follows the reader.
// Ticks stay on this device, by SOP and revision. Machines are shared: a shift later they are gone, and so they are after signing out.

const PREFIX = "steps:";
const KEPT_MS = 12 * 60 * 60 * 1000;

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    return kept && Date.now() - kept.at < KEPT_MS ? new Set(kept.done) : new Set();
  } catch {
    return new Set();
  }
}

function write(key, done) {
  try {
    if (done.size) localStorage.setItem(key, JSON.stringify({ at: Date.now(), done: [...done] }));
    else localStorage.removeItem(key);
  } catch {
    // storage is switched off or full: the ticks last as long as the page
  }
}

function tickOff(text) {
  const steps = [...text.querySelectorAll("ol.steps > li")];
  if (!steps.length || !text.dataset.sop) return;
  const key = `${PREFIX}${text.dataset.sop}:${text.dataset.revision}`;
  const done = read(key);

  const line = document.createElement("p");
  line.className = "ticked";
  const count = document.createElement("span");
  const again = document.createElement("button");
  again.type = "button";
  again.className = "button bare small";
  again.textContent = "Start again";
  line.append(count, again);

  const boxes = steps.map((step, index) => {
    const name = step.id || `step-${index + 1}`;
    const label = document.createElement("label");
    label.className = "tick";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.setAttribute("aria-label", `Step ${stepNumber(step)} done`);
    box.checked = done.has(name);
    box.addEventListener("change", () => {
      if (box.checked) done.add(name);
      else done.delete(name);
      write(key, done);
      show();
    });
    label.append(box);
    step.prepend(label);
    return { step, box };
  });

  function show() {
    for (const { step, box } of boxes) step.classList.toggle("done", box.checked);
    const ticked = boxes.filter(({ box }) => box.checked).length;
    count.textContent = ticked ? `${ticked} of ${boxes.length} steps ticked off` : `${boxes.length} steps, tick them off as you go`;
    again.hidden = ticked === 0;
  }

  again.addEventListener("click", () => {
    done.clear();
    for (const { box } of boxes) box.checked = false;
    write(key, done);
    show();
    boxes[0].box.focus();
  });
  steps[0].parentElement.before(line);
  show();
}

function stepNumber(step) {
  const list = step.parentElement;
  return (list.start || 1) + [...list.children].indexOf(step);
}

function followOutline() {
  const links = new Map();
  for (const link of document.querySelectorAll(".outline-side a[href^='#']")) links.set(decodeURIComponent(link.hash.slice(1)), link);
  if (!links.size || !("IntersectionObserver" in window)) return;
  const watcher = new IntersectionObserver(
    (entries) => {
      const seen = entries.find((entry) => entry.isIntersecting);
      if (!seen) return;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(seen.target.id).setAttribute("aria-current", "true");
    },
    { rootMargin: "-70px 0px -65% 0px" },
  );
  for (const id of links.keys()) {
    const heading = document.getElementById(id);
    if (heading) watcher.observe(heading);
  }
}

document.querySelectorAll(".sop-text[data-sop]").forEach(tickOff);
followOutline();
