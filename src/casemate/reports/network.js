// Walks through views of a graph, two beside each other. It asks nobody for anything, and writes every text as text.
"use strict";
const INKS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07a00", "#56b4e9", "#8a7f00", "#5a5a5a"];
const FIRST = 40; // entities that stand there at the beginning
const HITS = 24;
const BARS = 72;

const make = (name, set = {}, ...inside) => {
  const svg = ["svg", "g", "line", "circle", "text", "title"].includes(name);
  const one = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(set))
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (value !== false) one.setAttribute(key, value === true ? "" : value);
  one.append(...inside);
  return one;
};
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const wordsOf = (text) => fold(text).match(/[\p{L}\p{N}_]+/gu) || [];
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

// One view, with what is asked of it: each answer is of this view alone.
class View {
  constructor(told) {
    Object.assign(this, told);
    this.by = new Map(this.nodes.map((node) => [node.id, node]));
    this.head = new Map(this.nodes.flatMap((node) => node.members.map((each) => [each, node.id])));
    this.edge = new Map(this.links.map((link) => [link.id, link]));
    for (const node of this.nodes)
      node.whole = fold([node.name, ...node.quotes.map((each) => each.value)].join(" "));
  }
  first() {
    const joined = new Set(this.links.flatMap((link) => (link.source === link.target ? [] : [link.source, link.target])));
    const few = this.nodes.filter((node) => joined.has(node.id));
    return (few.length ? few : this.nodes).slice(0, FIRST);
  }
  search(text) {
    const words = wordsOf(text);
    const found = this.nodes.filter((node) => words.length && words.every((word) => node.whole.includes(word)));
    const late = (node) => (words.every((word) => fold(node.name).includes(word)) ? 0 : 1);
    return found.sort((a, b) => late(a) - late(b) || order(a.name, b.name) || order(a.id, b.id));
  }
  within(first, last) {
    return this.links.filter((link) => (!first && !last) || inTime(link, first || "0000", last || "9999"));
  }
  beside(links) {
    const near = new Map();
    const put = (at, other, link) => near.set(at, [...(near.get(at) || []), [other, link]]);
    for (const link of links) {
      put(link.source, link.target, link);
      put(link.target, link.source, link);
    }
    return near;
  }
  near(id, links) {
    return (this.beside(links).get(id) || []).map(([other]) => other);
  }
  path(start, end, links) {
    const came = new Map(this.by.has(start) ? [[start, null]] : []);
    const near = this.beside(links);
    const queue = [...came.keys()];
    while (queue.length && !came.has(end)) {
      const at = queue.shift();
      for (const [other, link] of near.get(at) || [])
        if (!came.has(other)) {
          came.set(other, [at, link]);
          queue.push(other);
        }
    }
    const steps = [];
    for (let step = came.get(end); step; step = came.get(step[0])) steps.unshift(step[1]);
    return steps;
  }
}
const dayOf = (date) => Math.floor(Date.parse(date.slice(0, 10)) / 864e5); // of a month or year, its first day
const isoOf = (day) => new Date(day * 864e5).toISOString().slice(0, 10);
const inTime = (link, first, last) => link.date && first <= link.date && link.date.slice(0, last.length) <= last;

class Walk {
  constructor(place, told) {
    this.say = told.words;
    this.views = told.views.map((each) => new View(each));
    this.sides = this.views.length > 1 ? [0, this.views.length - 1] : [0];
    const days = this.views.flatMap((view) => view.links.map((link) => dayOf(link.date))).filter(Number.isFinite);
    [this.least, this.most] = days.length ? [Math.min(...days), Math.max(...days)] : [0, 0];
    [this.low, this.high] = [this.least, this.most];
    this.shown = new Set();
    this.picked = null; // {ids} of an entity, or {link}
    this.ends = [null, null];
    this.frame(place);
    this.begin();
  }
  // ---- what is asked for
  get window() {
    const whole = this.low === this.least && this.high === this.most;
    return whole ? ["", ""] : [isoOf(this.low), isoOf(this.high)];
  }
  links(view) {
    return view.within(...this.window);
  }
  add(view, ids) {
    for (const id of ids) for (const each of view.by.get(id)?.members || []) this.shown.add(each);
  }
  begin() {
    this.shown.clear();
    for (const view of this.views) this.add(view, view.first().map((node) => node.id));
    this.draw();
  }
  everything() {
    for (const view of this.views) this.add(view, view.by.keys());
    this.draw();
  }
  heads(view, ids) {
    return [...new Set(ids.map((id) => view.head.get(id)).filter(Boolean))];
  }
  pick(view, id) {
    this.picked = { ids: [...view.by.get(id).members] };
    this.add(view, [id]);
    this.draw();
  }
  widen(alone) {
    if (!this.picked?.ids) return;
    if (alone) this.shown.clear();
    for (const view of this.views)
      for (const head of this.heads(view, this.picked.ids)) this.add(view, [head, ...view.near(head, this.links(view))]);
    this.draw();
  }
  end(at) {
    this.ends[at] = this.picked?.ids || null;
    for (const view of this.views)
      for (const link of this.way(view)) this.add(view, [link.source, link.target]);
    this.draw();
  }
  way(view) {
    if (!this.ends[0] || !this.ends[1]) return [];
    const [start, end] = this.ends.map((ids) => this.heads(view, ids)[0]);
    return start && end ? view.path(start, end, this.links(view)) : [];
  }
  // ---- what stands on the page
  button(text, act, name) {
    return make("button", { type: "button", onclick: act, "data-act": name }, text);
  }
  frame(place) {
    const say = this.say;
    this.hits = make("ul", { class: "hits", "aria-live": "polite" });
    const find = make("input", { type: "search", class: "grow", placeholder: say.find, "aria-label": say.find });
    find.addEventListener("input", () => this.found(find.value));
    this.needs = [
      this.button(say.wide, () => this.widen(false), "wide"),
      this.button(say.only, () => this.widen(true), "only"),
      this.button(say.from, () => this.end(0), "from"),
      this.button(say.to, () => this.end(1), "to"),
    ];
    this.told = make("span", { class: "soft", role: "status" });
    this.forget = this.button(say.clear, () => ((this.ends = [null, null]), this.draw()), "clear");
    const tools = make("div", { class: "tools" }, find, this.button(say.start, () => this.begin(), "start"));
    tools.append(this.button(say.all, () => this.everything(), "all"));
    place.append(tools, this.hits, make("div", { class: "tools" }, ...this.needs, this.forget, this.told));
    this.panes = this.sides.map((_, side) => this.pane(side));
    place.append(this.brush(), make("div", { class: "pair" }, ...this.panes.map((pane) => pane.whole)));
    place.hidden = false;
  }
  pane(side) {
    const choose = make("select", { "aria-label": `${this.say.view} ${side + 1}` });
    this.views.forEach((view, at) => choose.append(make("option", { value: at }, view.mark)));
    choose.value = this.sides[side];
    choose.addEventListener("change", () => ((this.sides[side] = Number(choose.value)), this.draw()));
    const pane = { count: make("span", { class: "count" }), stage: make("svg", { class: "stage", role: "group" }) };
    pane.proof = make("div", { class: "proof", tabindex: "0", role: "region" });
    pane.whole = make("article", { class: "view" }, make("header", {}, choose, pane.count), pane.stage, pane.proof);
    return pane;
  }
  brush() {
    this.bars = make("div", { class: "bars", "aria-hidden": true });
    const slider = (name, which) => {
      const set = { type: "range", min: this.least, max: this.most, "aria-label": name, "data-act": which };
      const input = make("input", { ...set, value: this[which] });
      input.addEventListener("input", () => {
        const at = Number(input.value);
        this[which] = which === "low" ? Math.min(at, this.high) : Math.max(at, this.low);
        this.draw();
      });
      return { input, said: make("output") };
    };
    this.sliders = { low: slider(this.say.first, "low"), high: slider(this.say.last, "high") };
    const { low, high } = this.sliders;
    const when = make("div", { class: "when", role: "group", "aria-label": this.say.time });
    when.hidden = this.least === this.most;
    const track = make("div", { class: "track" }, this.bars, low.input, high.input);
    when.append(make("div", { class: "ends" }, low.said, make("span", { class: "soft" }, this.say.time), high.said), track);
    return when;
  }
  found(text) {
    const rows = new Map();
    for (const side of [...this.sides].reverse())
      for (const node of this.views[side].search(text).slice(0, HITS)) {
        const hit = [side, node];
        if (!node.members.some((each) => rows.has(each))) for (const each of node.members) rows.set(each, hit);
      }
    const each = [...new Set(rows.values())].slice(0, HITS);
    this.hits.replaceChildren(
      ...each.map(([side, node]) =>
        make("li", {}, this.button(`${node.mark} ${node.name} · ${node.kind}`, () => this.pick(this.views[side], node.id), "hit")),
      ),
    );
    if (text.trim() && !each.length) this.hits.append(make("li", { class: "soft" }, this.say.none));
  }
  // ---- drawing
  draw() {
    for (const [which, { input, said }] of Object.entries(this.sliders)) {
      input.value = this[which];
      said.textContent = isoOf(this[which]);
      input.setAttribute("aria-valuetext", said.textContent);
    }
    this.many();
    for (const each of this.needs) each.disabled = !this.picked?.ids;
    const ways = this.sides.map((side) => this.way(this.views[side]));
    this.forget.hidden = !this.ends[0] && !this.ends[1];
    this.told.textContent = this.ends[0] && this.ends[1] ? this.sides.map((side, at) => this.steps(this.views[side], ways[at])).join(" · ") : "";
    this.panes.forEach((pane, at) => this.paint(pane, this.views[this.sides[at]], new Set(ways[at])));
  }
  many() {
    const span = (this.most - this.least + 1) / BARS;
    const counts = new Array(BARS).fill(0);
    for (const link of this.views[this.sides.at(-1)].links) {
      const at = Math.floor((dayOf(link.date) - this.least) / span);
      if (at >= 0) counts[at] += 1;
    }
    const most = Math.max(...counts, 1);
    this.bars.replaceChildren(
      ...counts.map((count, at) => {
        const [first, last] = [this.least + at * span, this.least + (at + 1) * span - 1];
        const bar = make("i", { class: last >= this.low && first <= this.high ? "in" : "" });
        bar.style.height = `${(100 * count) / most}%`;
        return bar;
      }),
    );
  }
  steps(view, way) {
    return `${view.mark}: ${way.length ? `${this.say.path} ${way.length}` : this.say.nopath}`;
  }
  paint(pane, view, way) {
    const nodes = view.nodes.filter((node) => node.members.some((each) => this.shown.has(each)));
    const here = new Set(nodes.map((node) => node.id));
    const now = new Set(this.links(view));
    const links = view.links.filter((link) => here.has(link.source) && here.has(link.target) && link.source !== link.target);
    const [x, y, wide] = this.paper(nodes);
    pane.stage.setAttribute("viewBox", `${x} ${y} ${wide} ${(wide * 5) / 8}`);
    pane.stage.setAttribute("aria-label", view.mark);
    pane.count.textContent = `${nodes.length} ${this.say.shown} ${this.say.of} ${view.of}`;
    const walked = new Set([...way].flatMap((link) => [link.source, link.target]));
    const on = new Set(this.picked?.ids ? this.heads(view, this.picked.ids) : []);
    const spots = this.apart(nodes, wide / 560);
    pane.stage.replaceChildren(
      ...links.map((link) => this.line(view, link, spots, now.has(link), way.has(link))),
      ...this.circles(view, nodes, spots, [x, y, wide], on, walked),
    );
    this.prove(pane.proof, view);
  }
  paper(nodes) {
    const xs = nodes.map((node) => node.x);
    const ys = nodes.map((node) => node.y);
    const [left, top] = [Math.min(...xs, 1e6), Math.min(...ys, 1e6)];
    const [right, foot] = [Math.max(...xs, -1e6), Math.max(...ys, -1e6)];
    if (!nodes.length) return [0, 0, 560];
    const wide = Math.max((right - left) * 1.45, (foot - top) * 1.2 * 1.6, 300);
    return [(left + right) / 2 - wide * 0.48, (top + foot) / 2 - (wide * 5) / 16, wide];
  }
  apart(nodes, unit) {
    return new Map(nodes.map((node) => [node.id, [node.x, node.y, node.size * Math.max(unit, 0.5)]]));
  }
  line(view, link, spots, now, way) {
    const [[x1, y1], [x2, y2]] = [spots.get(link.source), spots.get(link.target)];
    const on = this.picked?.link === link.id;
    const ends = [link.source, link.target].map((id) => view.by.get(id).name).join(" → ");
    const told = `${link.mark} ${link.kind} ${link.date} ${ends}`;
    const act = () => ((this.picked = { link: link.id }), this.draw());
    return make(
      "g",
      { class: `link${on ? " on" : ""}${way ? " way" : ""}${now ? "" : " away"}`, "data-id": link.id, onclick: act },
      make("title", {}, told),
      make("line", { class: "touch", x1, y1, x2, y2 }),
      make("line", { class: "seen", x1, y1, x2, y2 }),
    );
  }
  circles(view, nodes, spots, [left, top, wide], on, walked) {
    const unit = wide / 560;
    const taken = [...spots.values()].map(([x, y, r]) => [x - r, y - r, x + r, y + r]);
    const inside = (box) => box[0] > left && box[2] < left + wide && box[1] > top && box[3] < top + (wide * 5) / 8;
    const free = (box) => inside(box) && taken.every(([a, b, c, d]) => box[2] < a || c < box[0] || box[3] < b || d < box[1]);
    const first = (node) => (on.has(node.id) ? 0 : walked.has(node.id) ? 1 : 2);
    return [...nodes].sort((a, b) => first(a) - first(b)).map((node) => {
      const [x, y, r] = spots.get(node.id);
      const short = node.name.length > 30 ? `${node.name.slice(0, 29)}…` : node.name;
      const name = `${node.mark} ${short}`;
      const [size, long, gap] = [11 * unit, name.length * 5.9 * unit, 3 * unit];
      const places = [[x + r + gap, y + size / 3, "start"], [x - r - gap, y + size / 3, "end"], [x, y + r + size, "middle"], [x, y - r - gap, "middle"]];
      const boxed = places.map((at) => {
        const from = at[0] - (at[2] === "start" ? 0 : at[2] === "end" ? long : long / 2);
        return [at, [from, at[1] - size, from + long, at[1] + size / 4]];
      });
      const spot = boxed.find(([, box]) => free(box)) || (first(node) < 2 ? boxed[0] : null);
      const act = () => this.pick(view, node.id);
      const key = (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), act());
      const kind = `node${on.has(node.id) ? " on" : ""}${walked.has(node.id) ? " way" : ""}`;
      const told = `${node.mark} ${node.name}, ${node.kind}`;
      const set = { class: kind, "data-id": node.id, role: "button", tabindex: 0, "aria-label": told, onclick: act, onkeydown: key };
      const one = make("g", set, make("title", {}, told));
      one.append(make("circle", { cx: x, cy: y, r, fill: INKS[node.group % INKS.length] }));
      if (spot) {
        taken.push(spot[1]);
        one.append(make("text", { x: spot[0][0], y: spot[0][1], "text-anchor": spot[0][2], "font-size": size }, name));
      }
      return one;
    });
  }
  // ---- evidence
  prove(place, view) {
    place.setAttribute("aria-label", `${this.say.evidence}, ${view.mark}`);
    const link = this.picked?.link && view.edge.get(this.picked.link);
    const heads = this.picked?.ids ? this.heads(view, this.picked.ids) : [];
    if (!this.picked) place.replaceChildren(make("p", { class: "soft" }, this.say.pick));
    else if (link) place.replaceChildren(...this.ofLink(view, link));
    else if (heads.length) place.replaceChildren(...heads.flatMap((id) => this.ofNode(view, view.by.get(id))));
    else place.replaceChildren(make("p", { class: "soft" }, this.say.absent));
  }
  head(mark, text) {
    return make("h3", {}, make("span", { class: "mark" }, mark), ` ${text}`);
  }
  ofNode(view, node) {
    const told = [this.head(node.mark, node.name), make("p", { class: "soft" }, node.kind)];
    if (node.members.length > 1) told.push(make("p", {}, `${this.say.members} ${node.members.length}: ${node.members.join(", ")}`));
    told.push(...this.quotes(node));
    const now = this.links(view).filter((link) => link.source === node.id || link.target === node.id);
    if (now.length) told.push(make("h4", {}, `${this.say.links} (${now.length})`));
    told.push(make("ul", {}, ...now.slice(0, 60).map((link) => make("li", {}, this.jump(view, node, link)))));
    return told;
  }
  jump(view, node, link) {
    const out = link.source === node.id;
    const other = view.by.get(out ? link.target : link.source);
    const text = ` ${link.date} ${link.kind} ${out ? "→" : "←"} ${other.name}`;
    const act = () => (this.add(view, [other.id]), (this.picked = { link: link.id }), this.draw());
    const one = this.button("", act, "link");
    one.append(make("span", { class: "mark" }, link.mark), text);
    return one;
  }
  ofLink(view, link) {
    const ends = [link.source, link.target].map((id) => view.by.get(id));
    const jumps = ends.map((node) => {
      const one = this.button("", () => this.pick(view, node.id), "end");
      one.append(make("span", { class: "mark" }, node.mark), ` ${node.name}`);
      return make("li", {}, one);
    });
    return [this.head(link.mark, `${link.kind} ${link.date}`), make("ul", {}, ...jumps), ...this.quotes(link)];
  }
  quotes(one) {
    const told = one.quotes.map((each) => {
      const mark = make("span", { class: "mark" }, each.mark);
      const value = each.words && each.words !== each.value ? [make("span", { class: "soft" }, ` ${each.prop}: ${each.value}. `), `“${each.words}”`] : [make("span", { class: "soft" }, ` ${each.prop}: `), each.value];
      return make("blockquote", {}, mark, ...value, make("cite", {}, each.source));
    });
    if (one.more) told.push(make("p", { class: "soft" }, `${one.more} ${this.say.more}`));
    return told;
  }
}

for (const place of document.querySelectorAll(".network"))
  place.walk = new Walk(place, JSON.parse(place.nextElementSibling.textContent));
