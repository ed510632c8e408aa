// Asks the server what the text costs while it is written: counting has one owner, and it is not here.
(function () {
  "use strict";
  const PAUSE = 300;
  const meter = document.querySelector("[data-meter]");
  const text = document.querySelector("[data-meter-text]");
  if (!meter || !text || text.tagName !== "TEXTAREA") return;
  const form = text.form;
  const says = meter.querySelector("[data-meter-says]");
  const cost = meter.querySelector("[data-meter-cost]");
  const bubble = meter.querySelector("[data-meter-bubble]");
  let timer = 0;
  let asked = 0;

  function question() {
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "text", "kind", "gateway", "numbers", "guests"]) {
      const field = form.elements[name];
      if (field && field.value !== undefined) body.append(name, field.value);
    }
    return body;
  }

  function show(found) {
    says.textContent = found.wrong || found.says || "";
    says.classList.toggle("meter-wrong", Boolean(found.wrong));
    cost.textContent = found.cost || "";
    bubble.textContent = found.text || text.value;
  }

  async function ask() {
    const turn = ++asked;
    if (!text.value.trim()) {
      show({ says: meter.dataset.empty });
      return;
    }
    try {
      const response = await fetch(meter.dataset.meter, {
        method: "POST", body: question(), credentials: "same-origin", headers: { Accept: "application/json" },
      });
      // An answer that comes late speaks of a text that has changed since.
      if (response.ok && turn === asked) show(await response.json());
    } catch {
      says.textContent = "";
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  ask();
})();
