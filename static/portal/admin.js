// What Unfold's pages lack for those who use a keyboard or a screen reader.

const ICONS = ".material-symbols-outlined";
const FOCUSABLE = "a[href], button, input, select, textarea, summary, label, [tabindex]";

// Icons are drawn by letters that spell their names. Nobody should hear or translate those.
const quieten = (root) => {
  for (const icon of root.querySelectorAll(ICONS)) {
    icon.setAttribute("aria-hidden", "true");
    icon.setAttribute("translate", "no");
  }
};

// Words for what has none of its own; the page brings them in its language.
const words = () => document.querySelector("[data-scrolls]")?.dataset ?? {};

const spoken = (element) => {
  const copy = element.cloneNode(true);
  for (const icon of copy.querySelectorAll(ICONS)) icon.remove();
  return copy.textContent.trim();
};

// Something to click that is no button becomes one. A backdrop, in which nothing is, is for the mouse.
const makeButtons = (root) => {
  for (const element of root.querySelectorAll("[x-on\\:click]")) {
    if (element.matches(FOCUSABLE) || !element.childElementCount && !spoken(element)) continue;
    if (element.querySelector(FOCUSABLE)) continue;
    if (!spoken(element)) element.setAttribute("aria-label", words().more ?? "");
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "0");
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      element.click();
    });
  }
};

const describe = () => {
  // SimpleBar, which runs after this, names what scrolls in English only.
  const { scrolls } = words();
  for (const element of document.querySelectorAll("[data-simplebar]"))
    if (scrolls) element.dataset.simplebarAriaLabel = scrolls;
  for (const link of document.querySelectorAll("#nav-sidebar a.active")) link.setAttribute("aria-current", "page");
  // A narrow list shows the heads of its columns in front of each value, and CSS can only begin every word big.
  for (const cell of document.querySelectorAll("td[data-label], th[data-label]"))
    cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
};

// Choices that scripts draw in the place of a select say nothing of their labels.
const nameDrawnChoices = () => {
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const label = select.labels?.[0]?.textContent.trim();
    for (const drawn of select.nextElementSibling?.querySelectorAll("[role=combobox], [role=textbox]") ?? []) {
      drawn.removeAttribute("aria-labelledby");
      if (label) drawn.setAttribute("aria-label", label);
    }
  }
  for (const tooltip of document.querySelectorAll(".selector .help-tooltip")) tooltip.setAttribute("role", "img");
};

document.addEventListener("DOMContentLoaded", () => {
  quieten(document);
  makeButtons(document);
  describe();
});
// Others draw theirs when the page has loaded.
window.addEventListener("load", () => setTimeout(nameDrawnChoices));
document.addEventListener("htmx:afterSettle", (event) => {
  quieten(event.target);
  makeButtons(event.target);
});
