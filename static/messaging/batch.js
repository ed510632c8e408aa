// Keeps a batch's progress fresh, until nothing more will happen.
(function () {
  "use strict";
  const EVERY = 2000;
  const page = document.querySelector("[data-batch]");
  if (!page || "over" in page.dataset) return;
  const bar = page.querySelector("progress");
  const resend = page.querySelector("[data-may-resend]");
  const says = page.querySelector("[data-says]");

  function show(found) {
    bar.max = found.total;
    bar.value = found.gone;
    // Only what has changed is spoken.
    if (says.textContent !== found.says) says.textContent = found.says;
    if (resend) resend.hidden = !found.may_resend;
    for (const [group, count] of Object.entries(found.groups)) {
      const cell = page.querySelector(`[data-count="${group}"]`);
      if (cell) cell.textContent = count;
    }
  }

  async function tick() {
    if (!document.hidden) {
      try {
        const response = await fetch(page.dataset.batch, { credentials: "same-origin", cache: "no-store" });
        if (response.redirected || response.status === 403) {
          location.reload();
          return;
        }
        if (response.ok) {
          const found = await response.json();
          show(found);
          if (found.over) {
            // The buttons of the page are those of a batch that is over.
            location.reload();
            return;
          }
        }
      } catch {
        // The next tick asks again.
      }
    }
    setTimeout(tick, EVERY);
  }

  setTimeout(tick, EVERY);
})();
