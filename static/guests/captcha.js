// The captcha: where the browser can reckon, it does so by itself as soon as the page is shown, and the form waits for
// it when it must. Where it cannot, as on captive pages over plain HTTP, the picture is shown that others see without
// scripts.

const PATIENCE = 30000;

class Captcha {
  constructor(box) {
    this.box = box;
    this.form = box.closest("form");
    this.state = box.querySelector("[role=status]");
    this.proof = document.createElement("input");
    this.proof.type = "hidden";
    this.proof.name = box.dataset.name;
  }

  begin() {
    if (!window.isSecureContext || !window.Worker || !window.crypto || !crypto.subtle) return this.showPicture();
    this.box.append(this.proof);
    this.form.addEventListener("submit", (event) => this.hold(event));
    // A page that comes back as it was left holds a proof that was used.
    window.addEventListener("pageshow", (event) => event.persisted && this.reckon());
    this.reckon();
  }

  async reckon() {
    this.proof.value = "";
    this.say(false);
    try {
      const task = await (await fetch(this.box.dataset.challenge)).json();
      const began = Date.now();
      const number = await this.find(task);
      const took = Date.now() - began;
      const { algorithm, challenge, salt, signature } = task;
      this.proof.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature, took }));
      this.until = Date.now() + (this.box.dataset.seconds - 60) * 1000;
    } catch {
      return this.showPicture();
    }
    this.say(true);
    this.sendHeld();
  }

  find(task) {
    const worker = new Worker(this.box.dataset.worker);
    return new Promise((resolve, reject) => {
      setTimeout(reject, PATIENCE);
      worker.onerror = reject;
      worker.onmessage = (event) => (event.data === null ? reject() : resolve(event.data));
      worker.postMessage(task);
    }).finally(() => worker.terminate());
  }

  hold(event) {
    if (this.failed || (this.proof.value && Date.now() < this.until)) return;
    event.preventDefault();
    this.held = event.submitter || this.form.querySelector("button, [type=submit]");
    if (this.proof.value) this.reckon();
  }

  sendHeld() {
    const button = this.held;
    this.held = null;
    if (button) button.click();
  }

  say(done) {
    this.state.hidden = false;
    this.state.querySelector("[data-busy]").hidden = done;
    this.state.querySelector("[data-done]").hidden = !done;
  }

  showPicture() {
    if (this.failed) return;
    this.failed = true;
    this.state.hidden = true;
    this.proof.remove();
    this.box.append(this.box.querySelector("template").content.cloneNode(true));
    if (this.held) this.box.querySelector("[type=text]").focus();
  }
}

for (const box of document.querySelectorAll("[data-captcha]")) new Captcha(box).begin();
