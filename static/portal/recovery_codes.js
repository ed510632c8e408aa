// Recovery codes, to be printed or kept in a file. They are on the page already; nothing is asked of the server.

const list = document.querySelector("[data-recovery-codes]");
const codes = [...list.querySelectorAll("li")].map((code) => code.textContent.trim());

const file = document.querySelector("[data-save-codes]");
file.href = URL.createObjectURL(new Blob([`${file.dataset.saveCodes}\n\n${codes.join("\n")}\n`], { type: "text/plain" }));
file.hidden = false;

const printing = document.querySelector("[data-print-codes]");
printing.addEventListener("click", () => window.print());
printing.hidden = false;
