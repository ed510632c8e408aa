// Niceties of the guest pages, which work without them: what became of the SMS is told without loading the page anew,
// the wait for another one counts down, the code from the SMS is filled in where the browser offers it, and what was
// typed is kept when the language is changed.

const all = (selector) => [...document.querySelectorAll(selector)];

// A second tap sends nothing more. Whoever comes back to the page may send it again.
for (const form of all("form[data-once]")) {
  let isSent = false;
  const free = () => { isSent = false; };
  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    // The captcha may hold the form until it is ready.
    else setTimeout(() => { isSent = !event.defaultPrevented; });
    setTimeout(free, 8000);
  });
  window.addEventListener("pageshow", free);
}

for (const box of all("[data-focus]")) box.focus();

// What was typed is there in the other language as well; passwords, codes of pictures and consent are given anew.
const TYPED = "main input:is([type=text], [type=tel], [type=email]):not([name^=captcha]), main select";
const place = `typed at ${location.pathname}`;
try {
  const typed = JSON.parse(sessionStorage.getItem(place) || "{}");
  sessionStorage.removeItem(place);
  for (const field of all(TYPED)) if (field.id in typed && !field.value) field.value = typed[field.id];
  for (const form of all("form.languages")) form.addEventListener("submit", () => {
    sessionStorage.setItem(place, JSON.stringify(Object.fromEntries(all(TYPED).map((field) => [field.id, field.value]))));
  });
} catch {
  // A browser that keeps nothing.
}

for (const link of all("a[data-back]")) link.addEventListener("click", (event) => {
  if (history.length < 2) return;
  event.preventDefault();
  history.back();
});

for (const box of all("[data-reloads]")) setInterval(() => location.reload(), box.dataset.reloads * 1000);

class Wait {
  constructor(line) {
    this.line = line;
    this.button = line.closest("form").querySelector("[data-resend]");
    setInterval(() => this.show(), 1000);
  }

  lasts(seconds) {
    this.waits = this.waits || seconds > 0;
    this.end = Date.now() + seconds * 1000;
    this.show();
  }

  show() {
    if (!this.waits) return;
    const left = Math.max(0, Math.ceil((this.end - Date.now()) / 1000));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    this.line.textContent = left ? this.line.dataset.wait.replace("%(time)s", time) : "";
    this.button.disabled = left > 0;
    this.waits = left > 0;
  }
}

class News {
  constructor(box, wait) {
    this.wait = wait;
    this.take(box);
  }

  take(box) {
    this.box = box;
    if (box.dataset.goes) return location.assign(box.dataset.goes);
    if (this.wait) this.wait.lasts(Number(box.dataset.againIn));
    if (Number(box.dataset.polls)) setTimeout(() => this.ask(), box.dataset.polls * 1000);
  }

  async ask() {
    try {
      const answer = await fetch(this.box.dataset.news, { credentials: "same-origin" });
      if (answer.status !== 200) return;
      const holder = document.createElement("template");
      holder.innerHTML = await answer.text();
      const fresh = holder.content.querySelector("[data-news]");
      const former = this.box;
      this.show(former, fresh);
      this.take(former);
    } catch {
      setTimeout(() => this.ask(), 5000);
    }
  }

  // The line that is read aloud stays, so that only what is new in it is heard.
  show(former, fresh) {
    Object.assign(former.dataset, fresh.dataset);
    const [line, told] = [former, fresh].map((box) => box.querySelector("[role=status]"));
    line.className = told.className;
    if (line.textContent !== told.textContent) line.textContent = told.textContent;
    told.remove();
    former.replaceChildren(line, ...fresh.childNodes);
  }
}

const waits = all("[data-wait]").map((line) => new Wait(line));
for (const box of all("[data-news]")) new News(box, waits[0]);

for (const form of all("[data-one-time-code]")) {
  if (!("OTPCredential" in window)) continue;
  const over = new AbortController();
  form.addEventListener("submit", () => over.abort());
  navigator.credentials.get({ otp: { transport: ["sms"] }, signal: over.signal }).then((found) => {
    form.elements.code.value = found.code;
    if (form.checkValidity()) form.requestSubmit();
  }).catch(() => {});
}

if (navigator.clipboard) for (const code of all("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = code.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = code.dataset.copied;
  });
  code.after(button);
}
