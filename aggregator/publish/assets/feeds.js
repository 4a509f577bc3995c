// What the page can't do by itself: search, sort, copy an address, and say how long ago.
"use strict";

const language = document.documentElement.lang || undefined;
const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
for (const time of document.querySelectorAll("time[datetime]")) {
  const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
  if (Math.abs(seconds) > 30 * 86400) continue;
  const [unit, length] = units.find(([, size]) => Math.abs(seconds) >= size) || units[2];
  time.title = time.textContent;
  time.textContent = ago.format(Math.round(seconds / length), unit);
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const address = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = label; }, 2000);
    } catch {
      window.prompt(label, address);
    }
  });
}

// Every feed can be opened in the readers that the first one names.
const first = document.querySelector(".all .choices");
const services = first ? Array.from(first.querySelectorAll('a[href^="https:"]')) : [];
const own = first && encodeURIComponent(first.querySelector("button[data-copy]").dataset.copy);
for (const menu of document.querySelectorAll(".rows details")) {
  menu.addEventListener("toggle", () => {
    const choices = menu.querySelector(".choices");
    const address = menu.querySelector("button[data-copy]").dataset.copy;
    for (const service of services) {
      const link = service.cloneNode(true);
      link.href = service.href.replace(own, encodeURIComponent(address));
      choices.insertBefore(link, choices.lastElementChild);
    }
  }, { once: true });
}

const form = document.querySelector("form[role=search]");
if (form) {
  const input = form.querySelector("input");
  const status = form.querySelector("[role=status]");
  const items = Array.from(document.querySelectorAll("li[data-words]"));
  let words = null;
  const search = () => {
    words ||= items.map((item) => [
      item.dataset.words,
      ...Array.from(item.querySelectorAll("h3, .titles"), (part) => part.textContent),
    ].join(" ").toLowerCase());
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    items.forEach((item, number) => {
      const fits = wanted.every((word) => words[number].includes(word));
      if (item.hidden === fits) item.hidden = !fits;
      found += fits;
    });
    for (const section of document.querySelectorAll("section.list")) {
      section.hidden = wanted.length > 0 && !section.querySelector("li[data-words]:not([hidden])");
    }
    status.textContent = !wanted.length ? ""
      : found ? status.dataset.found.replace("{}", found) : status.dataset.nothing;
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", search);
  if (input.value) search();
}

const collator = new Intl.Collator(language);
const orders = {
  name: (a, b) => collator.compare(a.dataset.name, b.dataset.name),
  articles: (a, b) => b.dataset.articles - a.dataset.articles,
};
for (const sorting of document.querySelectorAll(".sort")) {
  const list = sorting.closest("section").querySelector("ul.rows");
  const newest = Array.from(list.children);
  const buttons = Array.from(sorting.querySelectorAll("button"));
  sorting.hidden = false;
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const order = orders[button.dataset.sort];
      list.replaceChildren(...(order ? newest.toSorted(order) : newest));
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
    });
  }
}
