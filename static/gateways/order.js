// Rows of the list of gateways are dragged by their handles; the form `data-order` sends the new order.
(function () {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-order]");
    const table = document.getElementById("result_list");
    if (!form || !table) return;

    table.querySelectorAll(".gateway-handle").forEach((handle) => {
      handle.hidden = false;
      handle.setAttribute("x-sort:handle", "");
      handle.closest("tbody").setAttribute("x-sort:item", "");
    });
    // Alpine, which the theme brings along, makes a sortable list of what has this attribute.
    table.setAttribute("x-sort", "");
    table.addEventListener("end", () => {
      table.querySelectorAll("[data-gateway]").forEach((row) => {
        const input = document.createElement("input");
        input.type = "hidden";
        input.name = "gateway";
        input.value = row.dataset.gateway;
        form.append(input);
      });
      form.submit();
    });
  });
})();
