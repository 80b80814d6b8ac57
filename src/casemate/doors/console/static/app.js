"use strict";
const one = (what) => document.querySelector(what);
const on = (name, what) => document.addEventListener(name, what);
const shut = (but) => document.querySelectorAll(".menu[open]").forEach((menu) => (menu.open = menu.contains(but)));
document.body.classList.add("scripted");

on("change", ({ target }) => target.matches("[data-go], [data-go] select") && target.form.submit());
on("click", ({ target }) => {
  const copy = target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(one(copy.dataset.copy).textContent);
  if (target.closest("[data-stop]")) htmx.trigger("#ask", "htmx:abort");
  shut(target);
});
on("keydown", (event) => {
  if (event.key === "Escape") shut();
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target.id !== "question") return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

const busy = (is) => ({ target }) => {
  if (target.id !== "ask") return;
  if (is) one("#answer").replaceChildren();
  one("#answer").setAttribute("aria-busy", is);
};
on("htmx:before:request", busy(true));
on("htmx:finally:request", busy(false));

const drop = one("#drop");
async function send(files) {
  one("#dropped").replaceChildren();
  for (const body of [...files]) {
    const to = new URL(drop.dataset.drop, location);
    for (const f of drop.querySelectorAll(".options [id]")) to.searchParams.set(f.id, f.value);
    to.searchParams.set("name", body.name);
    const sent = await fetch(to, { method: "POST", body, headers: { "HX-Request": "true" } });
    one("#dropped").insertAdjacentHTML("beforeend", await sent.text());
  }
  htmx.trigger("#library", "reread");
}
if (drop) {
  drop.onsubmit = (event) => (event.preventDefault(), send(one("#files").files));
  for (const name of ["dragover", "dragleave", "drop"])
    on(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") send(event.dataTransfer.files);
    });
}
