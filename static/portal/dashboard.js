// Keeps the front page fresh. The server renders and escapes; parts that say something else than before are exchanged.
(function () {
  "use strict";
  const EVERY = 12000;
  const board = document.querySelector("[data-board]");
  const freshness = document.querySelector("[data-freshness]");
  const shown = new Map();

  const parts = (root) => [...root.querySelectorAll("[data-part]")];
  const key = (part) => part.dataset.part;

  // Colours of the page, which the charts' options cannot name.
  function paint() {
    const text = getComputedStyle(document.querySelector(".dashboard-at") || document.body).color;
    for (const canvas of board.querySelectorAll("canvas.chart")) {
      const chart = window.Chart && Chart.getChart(canvas);
      if (!chart) continue;
      chart.options.scales.x.ticks.color = text;
      chart.options.scales.y.ticks.color = text;
      chart.options.plugins.legend.labels.color = text;
      chart.update("none");
    }
  }

  // A drawn chart moves into the new part and is given its data there: nothing flickers. False where a chart is new.
  function keepCharts(old, fresh) {
    for (const place of fresh.querySelectorAll("[data-chart]")) {
      const before = old && old.querySelector(`[data-chart="${place.dataset.chart}"] canvas`);
      const chart = before && window.Chart && Chart.getChart(before);
      if (!chart) return false;
      const data = JSON.parse(place.querySelector("canvas").dataset.value);
      place.dataset.redraw = JSON.stringify(data);
    }
    return true;
  }

  function moveCharts(old, fresh) {
    for (const place of fresh.querySelectorAll("[data-chart]")) {
      const before = old.querySelector(`[data-chart="${place.dataset.chart}"]`);
      const chart = Chart.getChart(before.querySelector("canvas"));
      const data = JSON.parse(place.dataset.redraw);
      place.replaceChildren(...before.childNodes);
      delete place.dataset.redraw;
      chart.data.labels = data.labels;
      chart.data.datasets = data.datasets;
      chart.update("none");
    }
  }

  function keepOpen(old, fresh) {
    for (const details of old.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`[data-kept="${details.dataset.kept}"]`);
      if (same) same.open = true;
    }
    const scrolled = [...old.querySelectorAll(".dashboard-grid")].map((grid) => [grid.scrollLeft, grid.scrollTop]);
    return () => {
      [...fresh.querySelectorAll(".dashboard-grid")].forEach((grid, number) => {
        if (scrolled[number]) [grid.scrollLeft, grid.scrollTop] = scrolled[number];
      });
    };
  }

  function exchange(old, fresh) {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const id = focused && focused.id;
    const scroll = keepOpen(old, fresh);
    const grid = focused && focused.classList.contains("dashboard-grid");
    moveCharts(old, fresh);
    if (old.hasAttribute("aria-live")) {
      // A region is announced only where it stays itself.
      old.className = fresh.className;
      old.replaceChildren(...fresh.childNodes);
    } else {
      old.replaceWith(fresh);
    }
    scroll();
    const again = id ? document.getElementById(id) : grid ? fresh.querySelector(".dashboard-grid") : null;
    if (again) again.focus({ preventScroll: true });
  }

  function isBeingRead(part) {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  }

  async function refresh() {
    const response = await fetch(board.dataset.board, { credentials: "same-origin", cache: "no-store" });
    if (response.redirected || response.status === 403) {
      // The session has ended: the whole page asks to sign in.
      location.reload();
      return;
    }
    if (!response.ok) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const before = parts(board), after = parts(page);
    const sameParts = before.map(key).join() === after.map(key).join();
    if (!sameParts || !after.every((part, number) => keepCharts(before[number], part))) {
      // Panels came or went, which is seldom: the page is drawn anew.
      location.reload();
      return;
    }
    after.forEach((part, number) => {
      const html = part.outerHTML;
      if (html === shown.get(key(part)) || isBeingRead(before[number])) return;
      shown.set(key(part), html);
      exchange(before[number], document.adoptNode(part));
    });
  }

  async function tick() {
    if (!document.hidden) {
      try {
        await refresh();
        freshness.textContent = "";
      } catch {
        if (!freshness.textContent) freshness.textContent = freshness.dataset.stopped;
      }
    }
    setTimeout(tick, EVERY);
  }

  // The charts are drawn when the page is complete, and their places look different then.
  for (const part of parts(board)) shown.set(key(part), part.outerHTML);
  window.addEventListener("load", () => {
    paint();
    new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["class"] });
    setTimeout(tick, EVERY);
  });
})();
