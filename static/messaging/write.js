// Templates fill the text, and guests are searched while one types. Without this the form works all the same.
(function () {
  "use strict";
  const PAUSE = 250;
  const form = document.querySelector("[data-write]");
  if (!form) return;
  for (const only of form.querySelectorAll("[data-without-script]")) only.hidden = true;

  const choice = form.querySelector("[data-template]");
  const known = document.getElementById("template-texts");
  if (choice && known) {
    const texts = JSON.parse(known.textContent);
    choice.addEventListener("change", () => {
      const text = form.elements.text;
      if (!(choice.value in texts)) return;
      text.value = texts[choice.value];
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  const chooser = form.querySelector("[data-chooser]");
  const chosen = form.querySelector("[data-guests]");
  if (!chooser || !chosen) return;
  chooser.hidden = false;
  const query = chooser.querySelector("input");
  const list = chooser.querySelector("ul");
  let timer = 0;
  let asked = 0;

  function choose(pid) {
    const there = chosen.value.split(/[\n,;]/).map((one) => one.trim()).filter(Boolean);
    if (!there.includes(pid)) there.push(pid);
    chosen.value = there.join("\n");
    chosen.dispatchEvent(new Event("input", { bubbles: true }));
    query.value = "";
    list.replaceChildren();
    query.focus();
  }

  function line(person) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chooser-person";
    button.textContent = [person.label, person.pid, person.phone].filter(Boolean).join(" · ");
    button.disabled = !person.phone;
    button.addEventListener("click", () => choose(person.pid));
    item.append(button);
    return item;
  }

  async function search() {
    const turn = ++asked;
    if (!query.value.trim()) {
      list.replaceChildren();
      return;
    }
    const address = new URL(chooser.dataset.chooser, location.href);
    address.searchParams.set("q", query.value);
    const response = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok || turn !== asked) return;
    const found = (await response.json()).people;
    if (found.length) {
      list.replaceChildren(...found.map(line));
    } else {
      const nobody = document.createElement("li");
      nobody.textContent = chooser.dataset.nobody;
      list.replaceChildren(nobody);
    }
  }

  query.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  query.addEventListener("keydown", (event) => {
    // Enter chooses the first one; the form is sent by its own button.
    if (event.key !== "Enter") return;
    event.preventDefault();
    list.querySelector("button:not([disabled])")?.click();
  });
})();
