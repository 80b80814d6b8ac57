"use strict";
const one = (what, where = document) => where.querySelector(what);
document.documentElement.classList.add("scripted");

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (event.target.matches("select[data-go], form[data-go] select")) form.submit();
});
document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(one(copy.dataset.copy).textContent);
  if (event.target.closest("[data-stop]")) one("#ask").dispatchEvent(new Event("htmx:abort"));
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.id === "question") {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
for (const copy of document.querySelectorAll("[data-copy]")) copy.hidden = !navigator.clipboard;

const answer = one("#answer");
const busy = (is) => (event) => {
  if (event.target.id !== "ask") return;
  if (is) answer.replaceChildren();
  answer.setAttribute("aria-busy", is);
};
document.addEventListener("htmx:before:request", busy(true));
document.addEventListener("htmx:finally:request", busy(false));

const drop = one("#drop");
async function send(files) {
  const bar = one("#progress"), rows = one("#dropped"), list = [...files];
  rows.replaceChildren();
  bar.hidden = false;
  for (const [at, file] of list.entries()) {
    bar.value = at / list.length;
    const to = new URL(drop.dataset.drop, location.href);
    for (const name of ["base", "label"]) if (one("#" + name).value) to.searchParams.set(name, one("#" + name).value);
    to.searchParams.set("name", file.name);
    const sent = await fetch(to, { method: "POST", body: file, headers: { "HX-Request": "true" } });
    rows.insertAdjacentHTML("beforeend", await sent.text());
  }
  bar.hidden = true;
  one("#files").value = "";
  one("#library").dispatchEvent(new Event("reread"));
}
if (drop) {
  drop.addEventListener("submit", (event) => (event.preventDefault(), send(one("#files").files)));
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) send(event.dataTransfer.files);
    });
  }
}
