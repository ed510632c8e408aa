// Buttons that copy the text of an element: <button hidden data-copy="its id" data-copied="what to say then">. It is
// said in the page's [data-copy-status], or for a moment on the button itself.
(function () {
  "use strict";

  function prepare(button) {
    const label = button.textContent;
    const status = document.querySelector("[data-copy-status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        (status || button).textContent = button.dataset.copied;
        if (!status) setTimeout(() => { button.textContent = label; }, 2000);
      } catch {
        // No clipboard without https: the text is selected, so that the keyboard copies it.
        getSelection().selectAllChildren(source);
      }
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-copy]").forEach(prepare);
  });
})();
