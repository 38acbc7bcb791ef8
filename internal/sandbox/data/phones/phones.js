"use strict";
// Keeps the phones fresh and sends forms without leaving the page. Without this script everything works by reloading.
(() => {
  const person = document.body.dataset.person;
  const panes = document.getElementById("panes");
  if (!person || !panes) return;
  const query = "?p=" + encodeURIComponent(person);
  let version = document.body.dataset.version;
  let busy = false, again = false;

  const toEnd = () => panes.querySelectorAll("[data-scroll]").forEach((log) => { log.scrollTop = log.scrollHeight; });

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch("panes" + query, { cache: "no-store" });
      if (answer.ok) {
        version = answer.headers.get("X-Version");
        swap(await answer.text());
      }
    } catch { /* the server is away; the stream tells when it is back */ }
    busy = false;
    if (again) { again = false; refresh(); }
  }

  // swap replaces the panes but keeps what is being typed, what is open and where one has scrolled to.
  function swap(text) {
    const kept = [...panes.querySelectorAll("[data-keep]")].map((i) => [i.form.id, i.value, i === document.activeElement]);
    const open = [...panes.querySelectorAll("details")].map((d) => d.open);
    const places = [...panes.querySelectorAll("[data-scroll]")].map((l) => [l.id, l.scrollHeight - l.scrollTop - l.clientHeight < 60, l.scrollTop]);
    panes.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    for (const [id, value, focused] of kept) {
      const input = document.querySelector("#" + id + " [data-keep]");
      if (!input) continue;
      input.value = value;
      if (focused) input.focus();
    }
    const details = panes.querySelectorAll("details");
    if (details.length === open.length) details.forEach((d, i) => { d.open = open[i]; });
    for (const [id, atEnd, top] of places) {
      const log = document.getElementById(id);
      if (log) log.scrollTop = atEnd ? log.scrollHeight : top;
    }
  }

  panes.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const input = form.querySelector("[data-keep]");
    if (input) { if (!input.value.trim()) return; input.value = ""; }
    panes.querySelectorAll("details[open]").forEach((d) => { if (d.contains(form)) d.open = false; });
    toEnd();
    try { await fetch("act", { method: "POST", body, redirect: "manual" }); } catch { /* shown by the next refresh */ }
    refresh();
  });

  panes.addEventListener("click", (event) => {
    const link = event.target.closest("[data-view]");
    if (link) fetch("act", { method: "POST", redirect: "manual", body: new URLSearchParams({ p: person, do: "view", key: link.dataset.view }) });
  });

  document.querySelectorAll("[data-fill]").forEach((button) => button.addEventListener("click", () => {
    const input = document.querySelector("#say [data-keep]");
    if (!input) return;
    input.value += (input.value && !input.value.endsWith(" ") ? " " : "") + button.dataset.fill;
    input.focus();
  }));

  addEventListener("resize", toEnd);
  toEnd();
  document.querySelector("#say [data-keep]")?.focus({ preventScroll: true });
  const stream = new EventSource("events" + query);
  stream.onmessage = (event) => { if (event.data !== version) refresh(); };
})();
