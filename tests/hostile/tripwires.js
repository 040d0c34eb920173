// Laid before the page is read: whatever a script of a document could do to be noticed is written down.
(() => {
  // Every name that a window and a document have before anybody put something into them.
  const names = new Set();
  for (const start of [window, document]) {
    for (let one = start; one; one = Object.getPrototypeOf(one)) for (const name of Object.getOwnPropertyNames(one)) names.add(name);
  }
  Object.defineProperty(window, "namesBefore", { value: names });
  const trips = [];
  const trip = (what) => () => { trips.push(what); };
  for (const name of ["alert", "confirm", "prompt", "print", "open", "fetch", "postMessage"]) window[name] = trip(name);
  for (const name of ["log", "info", "warn", "error", "debug", "table", "dir"]) console[name] = trip(`console.${name}`);
  window.tripped = trip("tripped");
  window.XMLHttpRequest = window.WebSocket = window.EventSource = window.Worker = window.Image = class { constructor() { trips.push("request"); } };
  navigator.sendBeacon = trip("sendBeacon");
  document.write = document.writeln = trip("document.write");
  window.addEventListener("error", (event) => { if (event.message) trips.push(`error ${event.message}`); }, true);
  window.addEventListener("securitypolicyviolation", trip("policy"));
  window.addEventListener("message", trip("message"));
  const title = "What is shown";
  const changes = [];
  const watcher = new MutationObserver((records) => { for (const record of records) changes.push(`${record.type} ${record.target.nodeName}`); });
  document.addEventListener("DOMContentLoaded", () => watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true }));
  Object.defineProperty(window, "trips", { value: () => (document.title === title ? trips : [...trips, `title ${document.title}`]) });
  Object.defineProperty(window, "changedSinceLoaded", { value: () => { watcher.takeRecords().forEach((record) => changes.push(record.type)); watcher.disconnect(); return changes; } });
})();
