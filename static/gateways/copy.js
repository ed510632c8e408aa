// Buttons that copy the text of an element: <button hidden data-copy="its id" data-copied="what to say then">.
(function () {
  "use strict";

  function prepare(button) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = button.dataset.copied;
        setTimeout(() => { button.textContent = label; }, 2000);
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
