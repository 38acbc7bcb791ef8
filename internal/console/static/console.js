"use strict";
// Everything here only spares reloading: each page does the same without it.

// Live progress: the server sends the block of the page anew.
const box = document.querySelector("[data-events]");
if (box && window.EventSource) {
  const source = new EventSource(box.dataset.events);
  source.onmessage = (event) => { box.innerHTML = event.data; };
  source.addEventListener("end", () => { source.close(); location.replace(location.pathname); });
}

// What takes its time says so, and nothing is sent twice: what is under way holds the next one back, until the page
// changes or the answer is long overdue.
const busy = document.getElementById("busy");
const quick = 500, overdue = 15000; // milliseconds
let under = null; // what is under way: where, and its timers
const rest = () => {
  if (!under) return;
  for (const timer of under.timers) clearTimeout(timer);
  under.at.removeAttribute("aria-busy");
  busy.textContent = "";
  under = null;
};
const wait = (at, words, delay) => {
  rest();
  at.setAttribute("aria-busy", "true");
  under = { at, timers: [setTimeout(() => { busy.textContent = words; }, delay), setTimeout(rest, overdue)] };
};
document.addEventListener("submit", (event) => {
  const form = event.target, words = (event.submitter || form).dataset.wait;
  if (under && under.at.matches("form")) { // a link that is being opened may be thought better of
    event.preventDefault();
    return;
  }
  const question = form.dataset.confirm; // a step that can't be taken back is asked about once more
  if (question && !confirm(question)) event.preventDefault();
  else wait(form, words || busy.dataset.wait, words ? 0 : quick);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const here = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && !event.defaultPrevented;
  if (!link || !here || link.target || link.hasAttribute("download") || link.getAttribute("href").startsWith("#")) return;
  if (!under) wait(link, busy.dataset.wait, quick);
});
addEventListener("pageshow", rest); // come back to by the browser's arrow

// The audience's rows.
const rules = document.getElementById("rules");
if (rules) {
  const renumber = (fragment, i) => {
    for (const e of fragment.querySelectorAll("[name]")) e.name = e.name.replace(/_\w*$/, "_" + i);
    return fragment;
  };
  let next = rules.children.length;
  document.querySelector("[data-add]").addEventListener("click", (event) => {
    event.preventDefault();
    const fresh = document.getElementById("blank-rule").content.cloneNode(true);
    fresh.querySelector("[data-field]").name = "field_" + next++;
    rules.append(fresh);
  });
  rules.addEventListener("click", (event) => {
    if (!event.target.matches("[data-drop]")) return;
    event.preventDefault();
    event.target.closest(".rule").remove();
  });
  rules.addEventListener("change", (event) => {
    if (!event.target.matches("[data-field]")) return;
    const i = event.target.name.split("_")[1];
    const blank = document.querySelector(`template[data-controls="${CSS.escape(event.target.value)}"]`);
    const controls = event.target.closest(".rule").querySelector(".controls");
    controls.replaceChildren(blank ? renumber(blank.content.cloneNode(true), i) : "");
  });
  const mode = () => {
    const chosen = document.querySelector("[name=audience_mode]:checked").value;
    for (const part of document.querySelectorAll("[data-mode]")) part.hidden = part.dataset.mode !== chosen;
  };
  for (const radio of document.querySelectorAll("[name=audience_mode]")) radio.addEventListener("change", mode);
  mode();
}

// The template's own values.
const chooser = document.querySelector("[data-template]");
if (chooser) chooser.addEventListener("change", () => {
  const blank = document.querySelector(`template[data-params="${CSS.escape(chooser.value)}"]`);
  document.getElementById("template-params").replaceChildren(blank ? blank.content.cloneNode(true) : "");
});
