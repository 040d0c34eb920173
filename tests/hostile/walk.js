(rules) => {
  const problems = [];
  const seen = { elements: 0, attributes: 0, addresses: 0 };
  const tell = (number, kind, what) => problems.push({ number, kind, what: String(what).slice(0, 200) });
  const tags = new Set(rules.tags);
  const schemes = new Set(rules.schemes);
  const own = new Set(rules.own);
  const frame = new Set(rules.frame);

  const check = (element, number, inside) => {
    seen.elements += 1;
    const tag = element.localName;
    if (element.namespaceURI !== "http://www.w3.org/1999/xhtml") tell(number, "namespace", tag);
    if (!tags.has(tag) && !(!inside && own.has(tag))) tell(number, "element", tag);
    for (const { name, value } of element.attributes) {
      seen.attributes += 1;
      if (/^on/i.test(name)) tell(number, "handler", `${tag} ${name}=${value}`);
      const allowed = rules.attributes[tag] || [];
      const ours = !inside && /^(aria-[a-z]+|data-[a-z-]+|hidden|colspan|id|class)$/.test(name);
      if (!rules.everywhere.includes(name) && !allowed.includes(name) && !ours) tell(number, "attribute", `${tag} ${name}=${value}`);
      if (["href", "src"].includes(name)) {
        seen.addresses += 1;
        const whole = URL.canParse(value, document.baseURI) ? new URL(value, document.baseURI) : null;
        const scheme = whole?.protocol;
        // What is no address at all leads nowhere; what the browser itself makes of it counts.
        const resolved = element.protocol ?? scheme;
        for (const one of [scheme, resolved]) if (one && one !== ":" && !schemes.has(one)) tell(number, "scheme", `${tag} ${name}=${value}`);
        if (name === "src" && whole?.origin !== location.origin) tell(number, "foreign", value);
      }
    }
    const { id } = element;
    if (id && inside) {
      if (!/^(s-|step-|fn)/.test(id)) tell(number, "id", id);
      if (id in Object.prototype || frame.has(id) || window.namesBefore.has(id)) tell(number, "clobbers", id);
    }
    if (element.shadowRoot) tell(number, "shadow", tag);
    if (element instanceof HTMLTemplateElement) tell(number, "template", element.innerHTML);
  };

  const walk = (root, number) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ALL);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const inside = Boolean(node.parentElement.closest(".sop-text, .snippet"));
      if (node.nodeType === Node.ELEMENT_NODE) check(node, number, inside);
      else if (node.nodeType !== Node.TEXT_NODE) tell(number, "node", node.nodeName);
    }
  };

  const cases = [...document.querySelectorAll("body > article.case")];
  if (cases.length !== rules.count) tell(-1, "escaped", `${cases.length} of ${rules.count} stand where they were put`);
  if (document.querySelectorAll("article.case").length !== rules.count) tell(-1, "escaped", "one holds another");
  if (document.body.children.length !== rules.count + 1) tell(-1, "escaped", "something stands beside them");
  for (const one of cases) {
    const inside = (of) => one.querySelectorAll(`:scope > ${of}`).length;
    if (inside("div.sop-text") !== 2 || inside("p.snippet") !== 1 || one.lastElementChild.className !== "table-scroll") tell(Number(one.dataset.number), "escaped", one.innerHTML);
  }
  if (document.body.lastElementChild?.id !== "the-end") tell(-1, "escaped", "something stands behind the end");
  if (document.head.querySelectorAll("*").length !== 2) tell(-1, "escaped", document.head.innerHTML);
  const changes = window.changedSinceLoaded();
  if (changes.length) tell(-1, "changed", changes.join(" "));

  for (const one of cases) {
    const number = Number(one.dataset.number);
    walk(one, number);
    // As the editor shows it: the same HTML given to a live element, and once more what the browser wrote of that.
    for (const text of one.querySelectorAll(".sop-text, .snippet")) {
      const live = document.createElement("div");
      live.className = "sop-text";
      document.body.append(live);
      let html = text.innerHTML;
      for (let turn = 0; turn < 2; turn += 1) {
        live.innerHTML = html;
        walk(live, number);
        if (live.innerHTML !== html) tell(number, "mutates", live.innerHTML);
        html = live.innerHTML;
      }
      for (const element of live.querySelectorAll("*")) {
        for (const name of ["mouseover", "focus", "error", "load", "toggle", "keydown"]) element.dispatchEvent(new Event(name, { bubbles: true }));
      }
      live.remove();
    }
  }
  return { problems, seen, trips: window.trips() };
}
