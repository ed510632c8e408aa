// Previews for phones open in a window as narrow as one; without this script they open in a tab.
for (const button of document.querySelectorAll("[data-phone]")) {
  button.addEventListener("click", () => window.open("", button.formTarget, "popup,width=360,height=720"));
}
