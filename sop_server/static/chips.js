// Names between commas as chips: typed one after the other, taken away one by one. What is sent stays the same line of text.

function chips(field) {
  const sent = document.createElement("input");
  sent.type = "hidden";
  sent.name = field.name;
  sent.value = field.value;
  field.removeAttribute("name");
  const list = document.createElement("ul");
  list.className = "chips typed";
  field.before(sent, list);
  let names = [];

  function changed() {
    sent.value = names.join(", ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function show() {
    list.replaceChildren(
      ...names.map((name) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "chip";
        button.textContent = `${name} ×`;
        button.setAttribute("aria-label", `Take ${name} away`);
        button.addEventListener("click", () => {
          names = names.filter((one) => one !== name);
          show();
          changed();
          field.focus();
        });
        item.append(button);
        return item;
      }),
    );
    list.hidden = names.length === 0;
  }

  function take() {
    const typed = field.value.split(",").map((name) => name.trim());
    field.value = "";
    const known = names.length;
    for (const name of typed) if (name && !names.includes(name)) names.push(name);
    show();
    return names.length > known;
  }

  field.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === ",") && field.value.trim()) {
      event.preventDefault();
      if (take()) changed();
    } else if (event.key === "Backspace" && !field.value && names.length) {
      names.pop();
      show();
      changed();
    }
  });
  // A name picked from the list of open tickets, pasted, or left in the field when the person goes on.
  field.addEventListener("change", () => {
    if (take()) changed();
  });
  field.form.addEventListener("submit", () => {
    if (take()) sent.value = names.join(", ");
  });
  take();
}

document.querySelectorAll("[data-writing] #tickets").forEach(chips);
