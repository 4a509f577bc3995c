// What the page can't do by itself: search, and copy an address.
"use strict";

for (const button of document.querySelectorAll("button[data-address]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const address = button.dataset.address;
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = label; }, 2000);
    } catch {
      window.prompt(label, address);
    }
  });
}

const form = document.querySelector("form[role=search]");
if (form) {
  const input = form.querySelector("input");
  const status = form.querySelector("[role=status]");
  const items = Array.from(form.parentElement.querySelectorAll("li[data-words]"));
  const search = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const item of items) {
      const fits = words.every((word) => item.dataset.words.includes(word));
      if (item.hidden === fits) item.hidden = !fits;
      found += fits;
    }
    status.textContent = !words.length ? ""
      : found ? status.dataset.found.replace("{}", found) : status.dataset.nothing;
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", search);
  if (input.value) search();
}
