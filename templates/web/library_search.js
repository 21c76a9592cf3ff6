// Searches the static library. Without it, the pages are lists by year, service and tag.
"use strict";
(() => {
  const MOST = 50;
  const form = document.getElementById("find");
  const field = document.getElementById("q");
  const found = document.getElementById("found");
  const hits = document.getElementById("hits");
  const listed = document.getElementById("listed");
  const index = window.afterwordIndex || [];

  const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];

  // A word is found at the beginning of another one, so that "pool" finds "pools".
  const rank = (row, words) => {
    let points = 0;
    for (const word of words) {
      const begins = (text) => wordsOf(text).some((other) => other.startsWith(word));
      if (begins(row.key) || begins(row.title)) points += 5;
      else if (row.facets.some(begins) || begins(row.cause)) points += 3;
      else if (begins(row.words)) points += 1;
      else return 0;
    }
    return points;
  };

  const add = (parent, name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    parent.append(element);
    return element;
  };

  const show = (row) => {
    const item = add(hits, "li");
    add(add(item, "p", "strip"), "span", "key", row.key);
    const link = add(add(item, "h2"), "a", "", row.title);
    link.href = `${row.key}.html`;
    link.dir = "auto";
    if (row.cause) add(item, "p", "cause", row.cause).dir = "auto";
    add(item, "p", "facts", row.about);
  };

  const search = () => {
    const words = wordsOf(field.value.slice(0, 400));
    hits.replaceChildren();
    hits.hidden = words.length === 0;
    listed.hidden = words.length > 0;
    found.textContent = "";
    if (!words.length) return;
    const ranked = index.map((row) => [rank(row, words), row]).filter(([points]) => points > 0);
    ranked.sort((one, other) => other[0] - one[0]);
    ranked.slice(0, MOST).forEach(([, row]) => show(row));
    const count = ranked.length;
    found.textContent = count === 0 ? "No incident has these words."
      : count === 1 ? "1 incident." : count > MOST ? `The best ${MOST} of ${count} incidents.` : `${count} incidents.`;
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  field.addEventListener("input", search);
})();
