// The review: says how much of the change was on the screen. Approving works without it and is never held back by it.

const change = document.querySelector("[data-read-through]");
const hint = document.querySelector("[data-read-hint]");

if (change && hint) {
  let furthest = 0;
  const look = () => {
    const box = change.getBoundingClientRect();
    const seen = Math.min(1, Math.max(0, (window.innerHeight - box.top) / box.height));
    if (seen <= furthest) return;
    furthest = seen;
    hint.textContent =
      furthest > 0.99 ? "You have scrolled through the whole change." : `You have scrolled through ${Math.floor(furthest * 100)} % of the change.`;
    if (furthest > 0.99) window.removeEventListener("scroll", look);
  };
  hint.hidden = false;
  window.addEventListener("scroll", look, { passive: true });
  look();
}
