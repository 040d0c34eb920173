// Applies the chosen appearance before the first paint: a plain blocking script, not a module.
(function () {
  "use strict";
  const KEY = "appearance";

  function chosen() {
    try {
      const value = localStorage.getItem(KEY);
      return value === "light" || value === "dark" ? value : "auto";
    } catch {
      return "auto"; // storage is switched off: follow the device
    }
  }

  function apply(value) {
    const dark = document.getElementById("dark");
    if (dark) dark.media = { auto: "screen and (prefers-color-scheme: dark)", light: "not all", dark: "screen" }[value];
    for (const button of document.querySelectorAll("[data-appearance]")) {
      button.setAttribute("aria-pressed", String(button.dataset.appearance === value));
    }
  }

  apply(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    apply(chosen());
    for (const box of document.querySelectorAll(".appearance")) box.hidden = false;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-appearance]");
    if (!button) return;
    try {
      localStorage.setItem(KEY, button.dataset.appearance);
    } catch {
      // kept for this page alone
    }
    apply(button.dataset.appearance);
  });
})();
