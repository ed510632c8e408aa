// Icons are drawn by letters that spell their names. Nobody should hear or translate those.
const quieten = (root) => {
  for (const icon of root.querySelectorAll(".material-symbols-outlined")) {
    icon.setAttribute("aria-hidden", "true");
    icon.setAttribute("translate", "no");
  }
};

document.addEventListener("DOMContentLoaded", () => quieten(document));
document.addEventListener("htmx:afterSettle", (event) => quieten(event.target));
