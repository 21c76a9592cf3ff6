"use strict";
const $ = (id) => document.getElementById(id);
const shown = {};
let place = "", thread = "";

async function look() {
  const answer = await fetch(`/look?as=${encodeURIComponent($("who").value)}&in=${encodeURIComponent(place)}`);
  const pieces = await answer.json();
  place = pieces.in;
  $("composer").hidden = place === document.body.dataset.home;
  for (const name of ["places", "main", "window"]) put(name, pieces[name]);
}

function put(name, html) {
  const box = $(name), busy = box.contains(document.activeElement) && document.activeElement.value && name === "main";
  if (shown[name] === html || (busy && document.activeElement.matches("input, textarea"))) return;
  const low = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  shown[name] = html;
  box.innerHTML = html;
  if (low) box.scrollTop = box.scrollHeight;
  if (name === "window") box.querySelector("input, textarea, select")?.focus();
}

async function act(what, more) {
  const body = JSON.stringify({ do: what, as: $("who").value, in: place, ...more });
  const answer = await fetch("/do", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const said = answer.ok ? await answer.json() : { error: await answer.text(), errors: {} };
  $("trouble").textContent = said.error;
  $("trouble").hidden = !said.error;
  if (what === "enter" && !said.error) document.activeElement.blur();
  await look();
  for (const [block, words] of Object.entries(said.errors)) {
    const spot = document.querySelector(`.modal [data-block="${CSS.escape(block)}"] .complaint`);
    if (spot) spot.textContent = words;
  }
  return !said.error;
}

function holder(element) {
  const modal = element.closest("[data-view]"), article = element.closest("[data-ts]");
  const state = {};
  for (const input of (modal || article || element.closest("article")).querySelectorAll("[data-input]")) {
    if (input.dataset.many) { state[input.dataset.input] = [...input.querySelectorAll(":checked")].map((one) => one.value); continue; }
    const value = input.multiple ? [...input.selectedOptions].map((one) => one.value) : input.value || null;
    state[input.dataset.input] = input.matches("input:not([type=date]):not([type=time]), textarea") ? value ?? "" : value;
  }
  return { view: modal?.dataset.view, ts: modal ? undefined : article?.dataset.ts, state };
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const data = button.dataset, at = button.closest("[data-ts]")?.dataset.ts;
  if (data.place) { place = data.place; thread = ""; threaded(); place === document.body.dataset.home ? act("home", {}) : look(); }
  else if (data.type) { $("line").value = data.type; $("line").focus(); }
  else if (data.thread) { thread = data.thread; threaded(); $("line").focus(); }
  else if (data.react) act("react", { ts: at, name: data.react });
  else if (data.shortcut) act("shortcut", { ts: at, callback: data.shortcut });
  else if (data.close) act("close", { view: button.closest("[data-view]").dataset.view });
  else if (data.action && (!data.sure || confirm(data.sure))) {
    act("click", { ...holder(button), action: data.action, value: data.value });
    if (data.url) follow(data.url);
  }
});

document.addEventListener("change", (event) => {
  const box = event.target.closest("[data-many]") || event.target, { state, ...where } = box.closest("article, .modal") ? holder(box) : {};
  if (box.dataset.menu && box.value) act("click", { ...where, action: box.dataset.menu, value: box.value });
  if (box.dataset.change && (box.value || box.dataset.many)) act("click", { ...where, state, action: box.dataset.input, value: box.multiple || box.dataset.many ? state[box.dataset.input] : box.value });
  if (box.id === "who") { place = ""; thread = ""; threaded(); look(); }
});

document.addEventListener("keydown", (event) => {
  const box = event.target, open = document.querySelector(".modal");
  if (event.key === "Escape" && open) return act("close", { view: open.dataset.view });
  if (event.key !== "Enter" || !box.dataset?.enter || box.closest(".modal")) return;
  event.preventDefault();
  act("enter", { ts: holder(box).ts, action: box.dataset.enter, text: box.value });
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (event.target.id !== "composer") return act("submit", holder(event.target));
  const line = $("line"), text = line.value.trim();
  if (text && await act("say", { text, thread })) line.value = "";
});

function follow(url) {
  const channel = new URL(url).searchParams.get("channel");
  if (!channel) return url.startsWith("https://") && window.open(url, "_blank", "noopener");
  place = channel;
  look();
}

function threaded() { $("thread").hidden = !thread; }
$("unthread").addEventListener("click", () => { thread = ""; threaded(); });
look();
setInterval(() => document.hidden || look().catch(() => {}), 1000);
