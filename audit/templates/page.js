"use strict";
(() => {
  const STEP = 20;  // locations of a finding shown at first; the button shows five times as many more
  const $ = (id) => document.getElementById(id);
  const locations = [...document.querySelectorAll(".location")];
  const lists = [...document.querySelectorAll(".finding")].map((section) => ({
    section,
    locations: [...section.querySelectorAll(".location")],
    button: section.querySelector(".more button"),
    shown: STEP,
  }));
  const text = $("text"), split = $("split"), label = $("label");
  const count = (number) => number.toLocaleString("en");
  let current = null, opener = null;

  const fits = (item, words) =>
    (!split.value || item.dataset.s === split.value) &&
    (!label.value || item.dataset.l === label.value) &&
    words.every((word) => item.textContent.toLowerCase().includes(word));

  function draw() {
    const words = text ? text.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    let left = 0;
    for (const list of lists) {
      list.fitting = text ? list.locations.filter((item) => fits(item, words)) : list.locations;
      left += list.fitting.length;
      const visible = new Set(list.fitting.slice(0, list.shown));
      for (const item of list.locations) item.hidden = !visible.has(item);
      const more = list.fitting.length - visible.size;
      if (list.button) {
        list.button.hidden = more <= 0;
        list.button.textContent = `Show ${Math.min(more, STEP * 5)} more of ${count(more)}`;
      }
      list.section.hidden = Boolean(list.locations.length && !list.fitting.length);
    }
    if (text) $("left").textContent = left === locations.length ? `${count(left)} locations` : `${count(left)} of ${count(locations.length)} locations`;
    document.documentElement.dataset.left = left;
  }

  const readable = () => lists.flatMap((list) => list.fitting).filter((item) => item.dataset.a !== undefined);

  function open(item) {
    const list = lists.find((each) => each.locations.includes(item));
    const at = list.fitting.indexOf(item);
    if (at >= list.shown) { list.shown = at + 1; draw(); }
    if (current) current.classList.remove("current");
    current = item;
    item.classList.add("current");
    if (item.dataset.a === undefined) { item.scrollIntoView({ block: "nearest" }); return; }
    const reader = $("reader"), sheet = $("sheet");
    if (reader.hidden) opener = document.activeElement;
    $("named").hidden = true;
    sheet.replaceChildren($("a" + item.dataset.a).content.cloneNode(true));
    const about = item.querySelector(".where").cloneNode(true);
    $("about").replaceChildren(...[...about.childNodes].filter((node) => !node.matches || !node.matches("a, .split")));
    reader.hidden = false;
    document.body.classList.add("reading");
    item.scrollIntoView({ block: "nearest" });  // the list has become narrower
    const order = readable(), place = order.indexOf(item);
    $("place").textContent = place < 0 ? "" : `location ${count(place + 1)} of ${count(order.length)}`;
    $("previous").disabled = place <= 0;
    $("next").disabled = place + 1 >= order.length;
    const rings = sheet.querySelectorAll(`[data-h~="${item.id.slice(1)}"]`);
    for (const ring of rings) ring.classList.add("ring");
    document.documentElement.dataset.rings = rings.length;
    reader.scrollTop = 0;
    if (rings.length) rings[0].scrollIntoView({ block: "center" });
    reader.focus({ preventScroll: true });
  }

  function close() {
    $("reader").hidden = true;
    document.body.classList.remove("reading");
    if (current) current.scrollIntoView({ block: "nearest" });
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
    if (location.hash.startsWith("#h")) history.replaceState(null, "", location.pathname + location.search);
  }

  function go(item) {
    if (!item) return;
    history.replaceState(null, "", "#" + item.id);
    open(item);
  }

  function step(by) {
    const order = readable(), at = order.indexOf(current);
    go(at < 0 ? order[0] : order[at + by]);
  }

  function fromHash() {
    const item = /^#h\d+$/.test(location.hash) && $(location.hash.slice(1));
    if (item) open(item);
  }

  for (const item of locations) {
    item.addEventListener("click", (event) => {
      if (item.dataset.a === undefined || String(getSelection())) return;
      event.preventDefault();
      go(item);
    });
  }
  for (const list of lists) {
    if (list.button) list.button.addEventListener("click", () => { list.shown += STEP * 5; draw(); });
  }
  if (text) {
    const form = text.form;
    form.addEventListener("input", draw);
    form.addEventListener("reset", () => setTimeout(draw));
    form.addEventListener("submit", (event) => event.preventDefault());
  }
  $("sheet").addEventListener("click", (event) => {  // touch screens show no tooltips
    const titles = [];
    for (let mark = event.target; mark !== $("sheet"); mark = mark.parentElement) if (mark.title) titles.push(mark.title);
    $("named").hidden = !titles.length;
    $("named").textContent = titles.join("\n");
  });
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("close").addEventListener("click", close);
  addEventListener("hashchange", fromHash);
  addEventListener("beforeprint", () => { for (const item of lists.flatMap((list) => list.fitting)) item.hidden = false; });
  addEventListener("afterprint", draw);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !$("reader").hidden) { close(); return; }
    if (event.target.matches && event.target.matches("input, select, textarea")) return;
    if (event.key === "n") step(1);
    else if (event.key === "p") step(-1);
    else if (event.key === "/" && text) { event.preventDefault(); text.focus(); }
  });

  draw();
  fromHash();
  document.documentElement.dataset.ready = locations.length;
})();
