// Keeps the sandbox phone's inbox fresh. The server renders and escapes the messages; nothing is built here.
(function () {
  "use strict";
  const EVERY = 1500;
  const inbox = document.querySelector("[data-inbox]");
  const freshness = document.querySelector("[data-freshness]");
  let shown = "";

  async function refresh() {
    const response = await fetch(inbox.dataset.inbox, { credentials: "same-origin", cache: "no-store" });
    if (response.redirected || response.status === 403) {
      // The session has ended: the whole page asks to sign in.
      location.reload();
      return;
    }
    if (!response.ok) throw new Error(String(response.status));
    const html = await response.text();
    if (html !== shown) {
      // A text being selected is not pulled away from under the pointer.
      const selection = document.getSelection();
      if (selection && !selection.isCollapsed && inbox.contains(selection.anchorNode)) return;
      inbox.innerHTML = html;
      shown = html;
    }
  }

  async function tick() {
    if (!document.hidden) {
      try {
        await refresh();
        freshness.textContent = "";
      } catch {
        freshness.textContent = freshness.dataset.stopped;
      }
    }
    setTimeout(tick, EVERY);
  }

  tick();
})();
